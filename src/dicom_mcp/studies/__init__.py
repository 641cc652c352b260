"""What studies consist of: series, images, counts, who the patients are."""
