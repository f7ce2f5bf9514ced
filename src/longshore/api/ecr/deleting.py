"""Takes images out of a repository's records; `control/ecr/registry.py` sees that their files follow."""

from longshore.domain.ecr.repository import Image, ImageTag
from longshore.store.store import Transaction


def delete_image(tx: Transaction, image: Image) -> list[str]:
    """Delete an image with all its tags, which are returned."""
    tags = tx.select(ImageTag, "image", (image.repository_id, image.digest))
    for tag in tags:
        tx.delete(ImageTag, tag.key)
    tx.delete(Image, image.key)
    return sorted(tag.tag for tag in tags)
