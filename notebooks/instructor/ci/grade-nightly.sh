#!/bin/sh
# Grades what is new, for cron:  15 2 * * *  /srv/course/grade-nightly.sh gram
# One line of the crontab for each assignment. It is silent unless a person must look at something
# (exit code 1) or it cannot work (2); cron sends its words by mail.
set -eu

assignment=${1:?usage: grade-nightly.sh ASSIGNMENT}
course=${COURSE:-/srv/course}   # holds .venv, assignments/, submissions/, class.csv; marks/ is made

exec "$course/.venv/bin/nst-edu" classroom grade "$course/submissions" \
    --assignment "$course/assignments/$assignment/$assignment.ipynb" \
    --roster "$course/class.csv" --to "$course/marks/$assignment" --quiet
