"""dicom-mcp: an MCP server that lets an AI assistant question a DICOM archive."""
