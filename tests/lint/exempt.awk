# exempt.awk: takes out what the table `exempt` allows. First file: the table; second: findings. Status 1 when one is left.

NR == FNR {
    sub(/#.*/, "")
    if (NF) {
        allowed[$1, $2, $3] = FNR
        if (NF < 4)
            report("tests/lint/exempt:" FNR ": exempt: '" $1 "' is exempted without a reason")
    }
    next
}

{
    split($0, part, ": ")
    file = part[1]
    sub(/:[0-9]+$/, "", file)
    name = part[3]
    sub(/^'/, "", name)
    sub(/'.*/, "", name)
    if ((part[2], file, name) in allowed)
        used[part[2], file, name] = 1
    else
        report($0)
}

function report(finding) {
    print finding
    status = 1
}

END {
    for (key in allowed)
        if (!(key in used))
            report("tests/lint/exempt:" allowed[key] ": exempt: nothing needs this line any more")
    exit status
}
