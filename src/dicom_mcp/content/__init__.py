"""What is inside one object: its report, its picture, its header. Pure on pydicom's Datasets."""
