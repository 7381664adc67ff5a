# code.awk: what is code in a line of C, and what stands in its strings. For the rules that come after it.
#
# scan(line) sets `code`, the line without comments and with empty literals, and strings[1..string_count], their contents.
# begin_file() forgets a comment that the last file left open.

function begin_file() {
    in_comment = 0
}

function scan(line,    token, pattern) {
    code = ""
    string_count = 0
    while (line != "") {
        if (in_comment) {
            if (!match(line, /\*\//))
                return
            in_comment = 0
            line = substr(line, RSTART + 2)
            continue
        }
        if (!match(line, /"|'|\/\*|\/\//)) {
            code = code line
            return
        }
        token = substr(line, RSTART, RLENGTH)
        code = code substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (token == "//")
            return
        if (token == "/*") {
            in_comment = 1
            continue
        }
        pattern = token == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^'\\\\]|\\\\.)*'"
        if (!match(line, pattern))
            return
        if (token == "\"")
            strings[++string_count] = substr(line, 1, RLENGTH - 1)
        line = substr(line, RLENGTH + 1)
        code = code token token
    }
}

function find(line, rule, name, sentence) {
    print FILENAME ":" line ": " rule ": '" name "' " sentence
}

# The first word of a list that the code calls, or "".
function called(words,    count, i, list) {
    count = split(words, list, " ")
    for (i = 1; i <= count; i++)
        if (index(code, list[i]) && code ~ "(^|[^A-Za-z0-9_.>])" list[i] "[ ]*\\(")
            return list[i]
    return ""
}
