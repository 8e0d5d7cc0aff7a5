"""The grader: lab (what is graded), rules (what a file may hold), sandbox (where it runs), grade, report."""
