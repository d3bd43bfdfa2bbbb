"""Parts of the Compare page: the choice of runs, their table, and a module for each tab."""
