"""minicnn: a CNN engine written from scratch."""
