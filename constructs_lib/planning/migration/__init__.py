"""The way of an endpoint from TGI to another engine: its options, its clients, its memory, its price, its code."""
