"""Worker processes that hand data over through shared memory."""

import os

SEED = 20244
WORKERS = 2
ITEMS = 32
ROWS = 65536  # float32: 256 KiB an item, 1 MiB a batch of four


def main(probe):
    if hasattr(os, "statvfs") and os.path.isdir("/dev/shm"):
        facts = os.statvfs("/dev/shm")
        probe.value("/dev/shm free MiB", facts.f_bavail * facts.f_frsize // 2**20)
    if probe.arguments["framework"] == "torch":
        with_torch(probe)
    else:
        with_numpy(probe)


def with_numpy(probe):
    probe.stage("import numpy")
    import multiprocessing
    from multiprocessing import shared_memory

    import numpy

    expected = numpy.random.RandomState(SEED).standard_normal((WORKERS, ROWS))
    probe.stage("shared memory")
    # a name, so that envguard can remove the block when this process is killed
    name = os.environ.get("ENVGUARD_SHARED_MEMORY")
    block = shared_memory.SharedMemory(name=name, create=True, size=expected.nbytes)
    try:
        got = numpy.ndarray(expected.shape, dtype="float64", buffer=block.buf)
        probe.stage("%d workers" % WORKERS)
        fork = multiprocessing.get_context("fork")
        workers = [fork.Process(target=fill, args=(numpy, got, row)) for row in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            if worker.exitcode != 0:
                raise RuntimeError("a worker ended with exit code %s" % worker.exitcode)
        probe.compare("shared memory", got.copy(), expected, 0.0)
    finally:
        got = None  # the buffer must have no user left
        block.close()
        block.unlink()


def fill(numpy, array, row):
    array[row] = numpy.random.RandomState(SEED).standard_normal(array.shape)[row]


def with_torch(probe):
    probe.stage("import torch")
    import torch

    class Items(torch.utils.data.Dataset):
        def __len__(self):
            return ITEMS

        def __getitem__(self, index):
            return torch.full((ROWS,), float(index))

    device = probe.arguments["device"]
    loader = torch.utils.data.DataLoader(
        Items(),
        batch_size=4,
        num_workers=WORKERS,
        multiprocessing_context="fork",  # what notebooks use; Python 3.14 has another default
        pin_memory=device == "cuda",
    )
    probe.stage("%d workers over /dev/shm" % WORKERS)
    means = []
    # the workers are forked before anything touches CUDA
    for batch in loader:
        means += batch.to(device, non_blocking=True).double().mean(dim=1).tolist()
    expected = torch.arange(float(ITEMS), dtype=torch.float64)
    probe.compare("batches", torch.tensor(means, dtype=torch.float64), expected, 1e-12)
