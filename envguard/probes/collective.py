"""torch.distributed on one machine: NCCL on GPUs, Gloo on a CPU; with one rank, or a process for each."""

import json
import os
import sys
import traceback


def main(probe):
    probe.stage("import torch")
    import torch

    device, ranks = probe.arguments["device"], probe.arguments.get("ranks", 1)
    reason = why_not(torch, device)
    if reason:
        probe.nothing_to_do(reason)
        return
    # Gloo looks for a network by the name of the host, which need not be one
    os.environ.setdefault(
        "GLOO_SOCKET_IFNAME", "lo" if os.path.isdir("/sys/class/net/lo") else "lo0"
    )
    backend = "nccl" if device == "cuda" else "gloo"
    probe.value("backend", backend)
    if ranks == 1:
        told = one_rank(torch, backend, 0, 1, probe.stage)
    else:
        probe.stage("%d ranks of %s" % (ranks, backend))
        told = in_processes(torch, backend, ranks)
    for name, (got, expected) in told.items():
        probe.compare(name, torch.tensor(got), torch.tensor(expected), 0.0)


def why_not(torch, device):
    if not torch.distributed.is_available():
        return "this torch is built without torch.distributed"
    if device == "cuda" and not torch.distributed.is_nccl_available():
        return "this torch is built without NCCL"
    if device == "cpu" and not getattr(torch.distributed, "is_gloo_available", lambda: True)():
        return "this torch is built without Gloo"
    return None


def one_rank(torch, backend, rank, ranks, stage):
    """What each operation gave, and what it should have, by name."""
    distributed = torch.distributed
    device = "cpu"
    if backend == "nccl":
        stage("CUDA start")
        torch.cuda.set_device(rank)
        device = "cuda:%d" % rank
    stage("%s start" % backend)
    distributed.init_process_group(
        backend,
        init_method="file://" + os.path.join(os.getcwd(), "rendezvous"),
        rank=rank,
        world_size=ranks,
    )
    total = sum(range(1, ranks + 1))
    base = torch.arange(1000, dtype=torch.float64)
    told = {}
    stage("%s all-reduce" % backend)
    x = (base * (rank + 1)).to(device)
    distributed.all_reduce(x)
    told["all-reduce"] = x.tolist(), (base * total).tolist()
    stage("%s broadcast" % backend)
    x = (base + rank).to(device)
    distributed.broadcast(x, src=0)
    told["broadcast"] = x.tolist(), base.tolist()
    stage("%s all-gather" % backend)
    gathered = [torch.empty(10, dtype=torch.float64, device=device) for _ in range(ranks)]
    distributed.all_gather(
        gathered, torch.full((10,), float(rank), dtype=torch.float64, device=device)
    )
    told["all-gather"] = (
        torch.cat(gathered).tolist(),
        [float(r) for r in range(ranks) for _ in range(10)],
    )
    stage("%s end" % backend)
    distributed.barrier()
    distributed.destroy_process_group()
    return told


def in_processes(torch, backend, ranks):
    """A process for each rank, forked before anything touches CUDA; what the last one was told."""
    children = []
    for rank in range(ranks):
        child = os.fork()
        if child == 0:
            os._exit(as_rank(torch, backend, rank, ranks))
        children.append(child)
    for rank, child in enumerate(children):
        status = os.waitpid(child, 0)[1]
        if status != 0:
            how = "signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "an exception"
            raise RuntimeError("rank %d of %s ended with %s" % (rank, backend, how))
    with open("rank%d.json" % (ranks - 1)) as stream:
        return json.load(stream)


def as_rank(torch, backend, rank, ranks):
    try:
        told = one_rank(torch, backend, rank, ranks, lambda _: None)
        with open("rank%d.json" % rank, "w") as stream:
            json.dump(told, stream)
        return 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        return 1
