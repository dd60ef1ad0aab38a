# arrows.awk - reads vkcb.c, whose map lists the parts from the top down, and the
# sources of src/; prints "up FROM TO" for an include of a higher part, and
# "circle A B" for two modules of different parts that lead to each other.
# A module is a .c and its .h; files beside the folders are the ground floor.

function module(file) {
	sub(/\.[ch]$/, "", file)
	return file
}

function part(file) {
	return match(file, /^src\/[a-z]+\//) ? substr(file, 1, RLENGTH) : "src/"
}

function add_arrow(from, to) {
	if (level[part(to)] < level[part(from)])
		print "up", from, to
	if (module(from) != module(to)) {
		arrow[module(from), module(to)] = 1
		modules[module(from)] = 1
	}
}

# The modules that can be reached from this one.
function reach(start, from,    to) {
	for (to in arrow)
		if (index(to, from SUBSEP) == 1) {
			sub(/.*\034/, "", to)
			if (!((start, to) in reached)) {
				reached[start, to] = 1
				reach(start, to)
			}
		}
}

FILENAME == "vkcb.c" {
	if (match($0, /^ \*\tsrc\/[a-z]+\//))
		level[substr($0, 4, RLENGTH - 3)] = ++levels
	next
}

/^#include ".*\.h"/ && !/"vkcb/ {
	level["src/"] = levels + 1
	split($0, quoted, "\"")
	sub(/^(src\/)?/, "src/", quoted[2])
	add_arrow(FILENAME, quoted[2])
}

END {
	for (from in modules)
		reach(from, from)
	for (pair in reached) {
		split(pair, ends, SUBSEP)
		if (ends[1] < ends[2] && ((ends[2], ends[1]) in reached) &&
		    part(ends[1]) != part(ends[2]))
			print "circle", ends[1], ends[2]
	}
}
