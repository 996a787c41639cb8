"""What people look at: the page of a list, plots, tables on the console. The only room that draws."""
