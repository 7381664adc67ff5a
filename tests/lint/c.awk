# c.awk: the rules about C: how long a function is, what is never called, SQL and HTML in their own places, must_check.

BEGIN {
    FUNCTION_MOST = 60
    sql = "(^|[^A-Za-z_])(SELECT |INSERT (OR|INTO) |UPDATE [a-z]|DELETE FROM|CREATE (UNIQUE |TEMP )?(TABLE|INDEX|VIEW|TRIGGER)" \
        "|DROP (TABLE|INDEX)|ALTER TABLE|PRAGMA |VACUUM|ATTACH |BEGIN (IMMEDIATE|EXCLUSIVE)|COMMIT|ROLLBACK|SAVEPOINT |RELEASE )"
    html = "<(/?[A-Za-z][A-Za-z0-9]*( [a-z-]+=.*)?/?>|[A-Za-z][A-Za-z0-9]* ([a-z-]+=|$)|!doctype|!--)"
    unsafe = "strcpy strcat stpcpy sprintf vsprintf gets strtok atoi atol atoll atof alloca tmpnam mktemp rand srand"
    process = "system popen execl execle execlp execv execve execvp execvpe fexecve posix_spawn posix_spawnp fork vfork"
    memory = "malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf"
}

FNR == 1 {
    begin_file()
    body_at = 0
    declaration = ""
    is_ours = FILENAME ~ /^(lib|cgi-bin|sbin)\//
    is_header = FILENAME ~ /^lib\/.*\.h$/
    if ($0 !~ /^\/\*/)
        find(1, "opening", FILENAME, "does not open with a comment that says what it is")
}

{
    scan($0)
    check_calls()
    if (is_ours)
        check_strings()
    if (is_header)
        check_declaration()
}

code ~ /(^|[^A-Za-z0-9_])goto([^A-Za-z0-9_]|$)/ {
    find(FNR, "goto", "goto", "is not used here")
}

code ~ /(^|[^A-Za-z0-9_])typedef[ ]+(struct|union|enum)([^A-Za-z0-9_]|$)/ {
    find(FNR, "typedef", "typedef", "of a struct, union or enum: write the word where it is used")
}

# A function's body begins and ends in the first column.
/^[a-z_A-Z].*\(/ && !body_at {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
}
/^{/ {
    body_at = FNR
    body_name = name
}
/^}/ && body_at {
    if (FNR - body_at + 1 > FUNCTION_MOST)
        find(body_at, "function", body_name, "has " FNR - body_at + 1 " lines; " FUNCTION_MOST " are the most")
    body_at = 0
}

function check_calls(    word) {
    word = called(unsafe)
    if (word != "")
        find(FNR, "unsafe", word, "is not called here: it overruns, keeps a state of its own, or hides errors")
    word = FILENAME ~ /^tests\// ? "" : called(process)
    if (word != "")
        find(FNR, "process", word, "starts a process: nothing here does")
    word = FILENAME ~ /^(lib\/(base|io)|sql|tests)\// ? "" : called(memory)
    if (word != "")
        find(FNR, "memory", word, "is for lib/base and lib/io: take it from an arena")
}

function check_strings(    i) {
    for (i = 1; i <= string_count; i++) {
        if (strings[i] ~ sql)
            find(FNR, "sql", "SQL", "stands in a string: statements belong to sql/")
        if (strings[i] ~ html)
            find(FNR, "html", "HTML", "stands in a string: pages belong to htdocs/templates/")
    }
}

# A prototype may go over several lines; it is judged where it ends, and told where it begins.
function check_declaration(    text) {
    if (declaration == "" && code ~ /^[a-z_].*\(/) {
        declaration_at = FNR
        declaration = code
    } else if (declaration != "") {
        declaration = declaration " " code
    }
    if (declaration == "" || code !~ /[;{]/)
        return
    text = declaration
    declaration = ""
    if (text !~ /(^| )enum err [a-z_0-9]+\(/ || text ~ /must_check/)
        return
    sub(/\(.*/, "", text)
    sub(/.* /, "", text)
    find(declaration_at, "must_check", text, "can fail, and its declaration does not say must_check")
}
