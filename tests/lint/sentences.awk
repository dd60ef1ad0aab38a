# sentences.awk - prints each comment sentence of three words or more of C
# sources as FILE:LINE: SENTENCE. A sentence ends with . ! or ? or a blank line.

function finish() {
	if (split(sentence, words, /[ \t]+/) >= 3)
		print FILENAME ":" first ": " sentence
	sentence = ""
}

function add(word) {
	if (sentence == "")
		first = FNR
	sentence = sentence (sentence == "" ? "" : " ") word
	if (word ~ /[.!?][")']*$/)
		finish()
}

function add_text(text,    i, n, words) {
	sub(/^[ \t]*\*+[ \t]*/, "", text)
	n = split(text, words, /[ \t]+/)
	if (text ~ /^[ \t]*$/)
		finish()
	for (i = 1; i <= n; i++)
		if (words[i] != "")
			add(words[i])
}

FNR == 1 {
	inside = 0
	sentence = ""
}

{
	line = $0
	if (!inside)	# a string may have the characters of a comment
		gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
	while (line != "" || inside) {
		if (!inside) {
			if (!(at = index(line, "/*")))
				break
			line = substr(line, at + 2)
			inside = 1
			continue
		}
		if (!(at = index(line, "*/"))) {
			add_text(line)
			break
		}
		add_text(substr(line, 1, at - 1))
		finish()
		line = substr(line, at + 2)
		inside = 0
	}
}
