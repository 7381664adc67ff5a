# layers.awk: who may include whom. First file: the table `layers`; all others: C.

function module_of(path) {
    sub(/^lib\//, "", path)
    sub(/\.[ch]$/, "", path)
    return path ~ /^(base|io|model|page)\// ? path : substr(path, 1, index(path, "/") - 1)
}

function layer_of(module) {
    return index(module, "/") ? substr(module, 1, index(module, "/") - 1) : module
}

BEGIN {
    rank["base"] = 1
    rank["io"] = 2
    rank["model"] = 3
    rank["page"] = 4
    rank["cgi-bin"] = rank["sbin"] = 5
    libc = "^(assert|ctype|dirent|errno|fcntl|ftw|getopt|grp|inttypes|limits|locale|malloc|math|netdb|poll|pthread|pwd" \
        "|sched|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|termios|time" \
        "|unistd|wchar|arpa/inet|(sys|netinet|linux)/[a-z_]+)\\.h$"
}

# ── the table ──
NR == FNR {
    table = FILENAME
    sub(/#.*/, "")
    if ($1 == "foreign") {
        for (i = 3; i <= NF; i++)
            owner[$2, $i] = 1
        foreign[$2] = $3
    } else if ($1 == "model-io") {
        for (i = 2; i <= NF; i++)
            model_io[$i] = 1
    } else if (NF) {
        module = $1
        sub(/:$/, "", module)
        place[module] = ++placed
        for (i = 2; i <= NF; i++) {
            arrow[module, $i] = FNR
            if (!($i in place))
                find(FNR, "arrow", $i, "does not stand above " module ": the arrows must not make a circle")
        }
    }
    next
}

# ── the files ──
FNR == 1 {
    begin_file()
    me = module_of(FILENAME)
    layer = layer_of(me)
}

/^[ \t]*#[ \t]*include/ {
    if (match($0, /<[^>]*>/))
        check_system(substr($0, RSTART + 1, RLENGTH - 2))
    else if (match($0, /"[^"]*"/) && layer in rank)
        check_own(substr($0, RSTART + 1, RLENGTH - 2))
    next
}

{ scan($0) }

(layer == "cgi-bin" || layer == "sbin" || layer == "page") && match(code, /(^|[^A-Za-z0-9_])sql_[a-z_0-9]+/) {
    name = substr(code, RSTART, RLENGTH)
    sub(/^[^s]/, "", name)
    find(FNR, "database", name, "is called here: statements are the model's")
}

layer == "cgi-bin" && tolower(code) ~ /sqlite/ {
    find(FNR, "database", "sqlite", "is named here: only lib/io/db.c knows which engine it is")
}

function check_system(header,    prefix) {
    if (header ~ libc || FILENAME ~ /^tests\//)
        return
    for (prefix in foreign)
        if (index(header, prefix) == 1) {
            if (!((prefix, FILENAME) in owner))
                find(FNR, "foreign", header, "is included by " foreign[prefix] " alone")
            return
        }
    find(FNR, "foreign", header, "is neither libc nor in tests/lint/layers")
}

function check_own(header,    other, other_layer) {
    if (header == "sql.h") {
        if (layer != "model")
            find(FNR, "database", header, "is the model's")
        return
    }
    if (layer == "sbin" && header ~ /^(rtcc\/)?rtcc\.h$/) # what the parts of that command share
        return
    other = module_of("lib/" header)
    other_layer = layer_of(other)
    if (!(other_layer in rank))
        find(FNR, "layer", header, "is no header of lib/")
    else if (rank[other_layer] > rank[layer])
        find(FNR, "layer", header, "is above " layer "/: includes point downward")
    else if (other_layer == layer && other != me && !((me, other) in arrow))
        find(FNR, "arrow", other, "is not among those that " me " may include: see tests/lint/layers")
    else if (layer == "model" && other_layer == "io" && !(header in model_io))
        find(FNR, "model", header, "is included by a model: a model knows nothing of requests")
    else if (layer == "cgi-bin" && header == "io/db.h")
        find(FNR, "database", header, "is included by a program: a program never sees the database")
    used[me, other] = 1
}

END {
    for (pair in arrow)
        if (!(pair in used)) {
            split(pair, end, SUBSEP)
            print table ":" arrow[pair] ": arrow: '" end[1] "' does not include " end[2] ": take it out of the table"
        }
}
