"""What makes an archive's answer true, whatever protocol it travelled by and whatever the archive
does: checked, completed, deduplicated, or marked with what could not be established."""
