"""Lifecycle policies of repositories: which images a policy expires now, and when the next one will be due.

AWS's rules: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html. All rules look at all
images. A rule marks the oldest of those that match it; an image that matches the tags of an earlier rule is that
one's to mark, but counts in later ones. What a list of images names goes only after the list; what says something
about an image (a signature, say) goes with it.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from longshore.domain.ecr.repository import Image, wildcard_matches

DAY_S = 86_400.0


class Rule(NamedTuple):
    """A rule of a policy."""

    priority: int
    tag_status: Literal["tagged", "untagged", "any"]
    prefixes: tuple[str, ...]
    patterns: tuple[str, ...]
    count_type: Literal["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled"]
    limit: int
    """Images that stay, or days."""

    def matches(self, tags: Collection[str]) -> bool:
        """Whether an image with these tags is one that this rule is about."""
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged" or not tags:
            return self.tag_status == "untagged" and not tags
        return all(any(tag.startswith(prefix) for tag in tags) for prefix in self.prefixes) and all(
            any(wildcard_matches(pattern, tag) for tag in tags) for pattern in self.patterns
        )

    def since(self, image: Image) -> float:
        """What its days are counted from."""
        return (image.pulled_at or image.pushed_at) if self.count_type == "sinceImagePulled" else image.pushed_at


class Expiry(NamedTuple):
    """What a policy does now."""

    expired: tuple[tuple[str, int], ...]
    """`(digest, priority of the rule)`, the oldest first."""
    next_at: float | None
    """When an image will be due next, if nothing changes."""


def expiry(
    rules: Iterable[Rule],
    images: Sequence[Image],
    tags: Mapping[str, Collection[str]],
    now: float,
    *,
    settle_s: float = 0.0,
) -> Expiry:
    """What a policy's rules expire. `tags`: of each digest that has some.

    An image that was pushed in the last `settle_s` seconds is not looked at: it may be one of a list whose push is
    under way, where images come before their list. What it names stays all the same.
    """
    in_order = sorted(rules)
    by_digest = {image.digest: image for image in images}
    in_lists = {child for image in images for child in image.children}
    settled = [image for image in images if image.pushed_at + settle_s <= now]
    free = [image for image in settled if image.digest not in in_lists and image.subject not in by_digest]
    free.sort(key=lambda image: (image.pushed_at, image.digest))
    owner = {image.digest: _owner(in_order, tags.get(image.digest, ())) for image in free}
    marked: dict[str, int] = {}
    next_at = min((at for image in images if (at := image.pushed_at + settle_s) > now), default=math.inf)
    for rule in in_order:
        matching = [image for image in free if rule.matches(tags.get(image.digest, ()))]
        own = {image.digest for image in matching if owner[image.digest] is rule}
        if rule.count_type == "imageCountMoreThan":
            due = matching[: max(0, len(matching) - rule.limit)]
        else:
            due = [image for image in matching if rule.since(image) + rule.limit * DAY_S <= now]
            later = (rule.since(image) + rule.limit * DAY_S for image in matching if image.digest in own)
            next_at = min(next_at, min((at for at in later if at > now), default=math.inf))
        marked.update({image.digest: rule.priority for image in due if image.digest in own})
    expired = [(image.digest, marked[image.digest]) for image in free if image.digest in marked]
    return Expiry((*expired, *_with_subjects(images, marked)), None if next_at == math.inf else next_at)


def _owner(rules: Iterable[Rule], tags: Collection[str]) -> Rule | None:
    return next((rule for rule in rules if rule.matches(tags)), None)


def _with_subjects(images: Iterable[Image], marked: Mapping[str, int]) -> list[tuple[str, int]]:
    """What speaks about an image that goes; what speaks about such a thing goes at the next look."""
    return [
        (image.digest, marked[image.subject])
        for image in images
        if image.subject in marked and image.digest not in marked
    ]
