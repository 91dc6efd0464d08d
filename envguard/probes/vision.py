"""torchvision: its own kernels (non-maximum suppression, RoI align), and pictures written and read."""


def main(probe):
    torch, device = probe.torch()
    probe.stage("import torchvision")
    import torchvision

    probe.value("torchvision", torchvision.__version__)
    probe.stage("nms")
    corners = torch.rand(200, 2) * 90
    boxes = torch.cat([corners, corners + 5 + torch.rand(200, 2) * 20], dim=1)
    scores = torch.arange(200.0).flip(0)
    kept = torchvision.ops.nms(boxes.to(device), scores.to(device), 0.4)
    expected = torch.tensor(suppressed(boxes.tolist(), 0.4))
    probe.compare("nms", kept, expected, 0.0)
    probe.stage("roi_align")
    image = torch.arange(64.0).reshape(1, 1, 8, 8)
    whole = torch.tensor([[0.0, 0.0, 0.0, 8.0, 8.0]])
    got = torchvision.ops.roi_align(
        image.to(device), whole.to(device), (4, 4), sampling_ratio=2, aligned=True
    )
    expected = torch.tensor(
        [[4.5 + 16 * row + 2 * column for column in range(4)] for row in range(4)]
    )
    probe.compare("roi_align", got[0, 0, 1:3, 1:3], expected[1:3, 1:3], 1e-5)
    probe.stage("PNG there and back")
    picture = torch.randint(0, 256, (3, 40, 50), dtype=torch.uint8)
    data = probe.unless_missing("PNG", lambda: torchvision.io.encode_png(picture))
    if data is not None:
        probe.compare("PNG", torchvision.io.decode_png(data), picture, 0.0)
    probe.stage("JPEG there and back")
    smooth = (torch.arange(40)[None, :, None] * 3 + torch.arange(50)[None, None, :]).expand(
        3, 40, 50
    )
    smooth = smooth.to(torch.uint8).contiguous()
    data = probe.unless_missing("JPEG", lambda: torchvision.io.encode_jpeg(smooth, quality=95))
    if data is not None:
        probe.compare("JPEG", torchvision.io.decode_jpeg(data), smooth, 0.05)


def suppressed(boxes, limit):
    """The boxes that stay, best first; they come in the order of their scores."""
    kept = []
    for n, box in enumerate(boxes):
        if all(overlap(box, boxes[k]) <= limit for k in kept):
            kept.append(n)
    return kept


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (areas - width * height)
