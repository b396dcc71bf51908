"""When the jobs run: the jobs described once, for whatever starts them."""
