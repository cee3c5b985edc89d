"""Where a webhook may go: the rules of `shared.targets`, which the addresses of clients' keys follow too."""

from shared.targets import URL_LIMIT, Target, TargetRefused, is_permission, read_target, refuse_private

__all__ = ["URL_LIMIT", "Target", "TargetRefused", "is_permission", "read_target", "refuse_private"]
