"""Copies between GPUs: directly where they reach each other, through the host where they do not."""


def main(probe):
    probe.stage("import torch")
    import torch

    count = torch.cuda.device_count()
    if count < 2:
        probe.nothing_to_do("there is one GPU to be seen")
        return
    x = torch.arange(2**20, dtype=torch.int32) * 2654435 % 65521
    direct = 0
    for source in range(count):
        for target in range(count):
            if source == target:
                continue
            probe.stage("copy from GPU %d to GPU %d" % (source, target))
            direct += torch.cuda.can_device_access_peer(source, target)
            there = x.to("cuda:%d" % source).to("cuda:%d" % target)
            torch.cuda.synchronize(target)
            probe.compare("%d to %d" % (source, target), there, x, 0.0)
    probe.value("direct pairs", "%d of %d" % (direct, count * (count - 1)))
