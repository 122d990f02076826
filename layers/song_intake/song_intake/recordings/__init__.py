"""From a clip's link to a checked recording in the owner's bucket: where it may come from, and what counts as one."""
