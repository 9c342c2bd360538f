"""What reports and pictures show: figures of many transfers, read and added up."""
