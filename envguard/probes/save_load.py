"""Save on the device, load on the CPU, and get the same numbers."""

import inspect

SEED = 20243


def main(probe):
    if probe.arguments["framework"] == "torch":
        with_torch(probe)
    else:
        with_numpy(probe)


def with_numpy(probe):
    probe.stage("import numpy")
    import numpy

    random = numpy.random.RandomState(SEED)
    arrays = {
        "weights": random.standard_normal((64, 64)),
        "halves": random.standard_normal(64).astype("float16"),
        "counts": numpy.arange(64),
    }
    probe.stage("savez")
    numpy.savez_compressed("arrays.npz", **arrays)
    probe.stage("load")
    with numpy.load("arrays.npz", allow_pickle=False) as loaded:
        for name, array in arrays.items():
            probe.compare(name, loaded[name], array, 0.0)


def with_torch(probe):
    torch, device = probe.torch()
    network = torch.nn.Linear(32, 8)
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    probe.stage("save from " + device)
    torch.save(network.to(device).state_dict(), "network.pt")
    probe.stage("load with map_location='cpu'")
    options = {"map_location": "cpu"}
    if "weights_only" in inspect.signature(torch.load).parameters:
        options["weights_only"] = True
    loaded = torch.load("network.pt", **options)
    for name, value in kept.items():
        if loaded[name].device.type != "cpu":
            raise RuntimeError("%s came back on %s" % (name, loaded[name].device))
        probe.compare(name, loaded[name], value, 0.0)
    probe.stage("forward on the CPU")
    again = torch.nn.Linear(32, 8)
    again.load_state_dict(loaded)
    x = torch.randn(16, 32)
    reference = x.double() @ kept["weight"].double().T + kept["bias"].double()
    probe.compare("forward", again(x), reference, 1e-5)
