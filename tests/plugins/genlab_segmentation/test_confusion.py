import math

import pytest
import torch
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

from genlab_segmentation.confusion import Confusion
from genlab_segmentation.metric import SegmentationScores


def scores_of(classes: torch.Tensor, count: int) -> torch.Tensor:
    """Scores whose highest is that of the classes given."""
    return torch.nn.functional.one_hot(classes, count).movedim(-1, 1).float() - 3


def scores(labels: torch.Tensor, taken_for: torch.Tensor, count: int) -> dict[str, float]:
    confusion = Confusion(count)
    confusion.add(labels, scores_of(taken_for, count))
    return confusion.scores()


def test_worked_by_hand():
    labels, taken_for = torch.tensor([[[0, 0, 0, 0, 1, 1]]]), torch.tensor([[[0, 0, 0, 1, 1, 2]]])
    found = scores(labels, taken_for, 4)
    assert found["pixel_accuracy"] == pytest.approx(4 / 6)
    # No label has class 2 or 3; nothing was taken for class 3.
    assert found["class_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found["class_iou"] == pytest.approx((3 / 4 + 1 / 3 + 0) / 3)


def test_all_right_and_all_wrong():
    labels = torch.tensor([[[0, 1], [1, 2]]])
    assert set(scores(labels, labels, 3).values()) == {1.0}
    assert set(scores(labels, (labels + 1) % 3, 3).values()) == {0.0}


def test_equal_to_torchmetrics_where_every_class_occurs():
    rng = torch.Generator().manual_seed(0)
    labels, scores = torch.randint(5, (3, 16, 16), generator=rng), torch.randn(3, 5, 16, 16, generator=rng)
    confusion = Confusion(5)
    confusion.add(labels, scores)
    assert confusion.scores() == pytest.approx(
        {
            "pixel_accuracy": multiclass_accuracy(scores, labels, 5, average="micro").item(),
            "class_accuracy": multiclass_accuracy(scores, labels, 5, average="macro").item(),
            "class_iou": multiclass_jaccard_index(scores, labels, 5, average="macro").item(),
        }
    )


def test_over_no_pixels_there_is_no_number():
    assert all(math.isnan(score) for score in Confusion(3).scores().values())
    assert all(math.isnan(score) for score in SegmentationScores().compute().values())
