# held.awk - holds objects.def against fields.tsv: each field that a source has
# is a field of the struct, of a kind that takes what the source has, or stands
# in left-out.tsv with a reason.
#
# awk -f held.awk left-out.tsv objects.def fields.tsv
BEGIN {
	FS = "\t"
	none = "|false|empty list|empty object"
	takes["INT"] = "int|numeric|enum|bit|digits"
	takes["BOOL"] = "bool|bit|false|numeric|enum"
	takes["DOUBLE"] = "int|number|numeric|bit|digits"
	takes["STR"] = "text|int|number|numeric|enum|bit|digits"
	takes["OBJ"] = "object" none
	takes["OBJ_TEXT"] = "object|text" none
	takes["LIST"] = "list|list of object" none
	takes["ROWS"] = "list|list of list of object" none
	takes["INTS"] = "list|list of (int|numeric|enum)" none
	takes["STRS"] = "list|list of (text|int|numeric|enum)" none
	takes["JSON"] = ".*"
}

FNR == 1 {
	file++
}

/^#/ {
	next
}

file == 1 {
	left[$1 "\t" $2] = 1
}

file == 2 && /^OBJECT\(/ {
	split($0, part, /[(,]/)
	tag = part[2]
}

# A row of several keys is AKA or ALSO rows, then the field's own.
file == 2 && $2 ~ /^[A-Z_]+\([A-Za-z]/ {
	split($2, part, /[(,]/)
	if (part[1] == "AKA" || part[1] == "ALSO") {
		split($2, part, "\"")
		keys[++n] = part[2]
	} else if (part[1] != "ONLY") {
		sub(/_$/, "", part[2])
		ours[tag "." part[2]] = part[1]
		for (; n > 0; n--)
			if (!(tag "." keys[n] in ours))
				ours[tag "." keys[n]] = part[1]
	}
}

file == 3 {
	exact = $1 "\t" $2
	any = $1 "\t*"
	if (exact in left || any in left)
		left[exact in left ? exact : any] = 0
	else if (!($1 in ours))
		print $1 ": is missing: " $2 " (" $3 ")"
	else if ($2 != "any" && $2 !~ "^(" takes[ours[$1]] ")$")
		print $1 ": is " ours[$1] ", not " $2 " (" $3 ")"
}

END {
	for (row in left)
		if (left[row])
			print row ": is left out, but no source has it"
}
