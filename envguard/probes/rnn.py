"""Recurrent networks forward and backward: cuDNN on a GPU."""

TOLERANCE = 1e-4


def main(probe):
    torch, device = probe.torch()
    for kind in ("LSTM", "GRU", "RNN"):
        probe.stage(kind + " forward and backward")
        network = getattr(torch.nn, kind)(12, 20, num_layers=2, bidirectional=True)
        reference = getattr(torch.nn, kind)(12, 20, num_layers=2, bidirectional=True).double()
        reference.load_state_dict({k: v.double() for k, v in network.state_dict().items()})
        x = torch.randn(9, 4, 12)
        got, expected = (
            gradients(torch, network.to(device), x.to(device)),
            by_hand(torch, reference, x, kind),
        )
        for name, ours, theirs in zip(
            ("output", "input gradient", "weight gradient"), got, expected
        ):
            probe.compare("%s %s" % (kind, name), ours, theirs, TOLERANCE)


def gradients(torch, network, x):
    x = x.detach().requires_grad_()
    return finish(torch, network(x)[0], x, network)


def finish(torch, output, x, network):
    weights = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).reshape(output.shape)
    (output * weights.to(output.dtype).to(output.device)).sum().backward()
    return output, x.grad, network.weight_ih_l0.grad


def by_hand(torch, network, x, kind):
    """The recurrence step by step, in float64."""
    x = x.double().detach().requires_grad_()
    layer = list(x)
    for depth in range(2):
        directions = []
        for suffix, order in (("", range(len(layer))), ("_reverse", reversed(range(len(layer))))):
            names = [
                "%s_l%d%s" % (n, depth, suffix)
                for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            directions.append(
                one_direction(torch, kind, layer, list(order), [getattr(network, n) for n in names])
            )
        layer = [torch.cat(pair, dim=1) for pair in zip(*directions)]
    return finish(torch, torch.stack(layer), x, network)


def one_direction(torch, kind, inputs, order, weights):
    w, u, b, c = weights
    hidden = cell = torch.zeros(inputs[0].shape[0], u.shape[1], dtype=torch.float64)
    outputs = [None] * len(inputs)
    for t in order:
        a, r = inputs[t] @ w.t() + b, hidden @ u.t() + c
        if kind == "LSTM":
            i, f, g, o = (a + r).chunk(4, dim=1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
        elif kind == "GRU":
            (ar, az, an), (rr, rz, rn) = a.chunk(3, dim=1), r.chunk(3, dim=1)
            update = (az + rz).sigmoid()
            hidden = (1 - update) * (an + (ar + rr).sigmoid() * rn).tanh() + update * hidden
        else:
            hidden = (a + r).tanh()
        outputs[t] = hidden
    return outputs
