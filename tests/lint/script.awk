# script.awk: of a trap that is due right after `continue` or `break` bash runs nothing: the signal has come, and is lost. So a
# script that ends by one (a trap for EXIT is none) has neither.

function tell(i) {
    for (i = 1; has_trap && i <= count; i++)
        print found[i]
    has_trap = count = 0
}

FNR == 1 { tell() }
{ code = $0; sub(/(^|[ \t])#.*/, "", code) }
code ~ /^[ \t]*trap ['"][^'"]+['"].* (INT|TERM|HUP|USR1|USR2|ALRM)/ { has_trap = 1 }
code ~ /(^|[^A-Za-z0-9_-])(continue|break)([^A-Za-z0-9_-]|$)/ {
    found[++count] = FILENAME ":" FNR ": trap: 'continue' or 'break' loses a signal that this script waits for"
}
END { tell() }
