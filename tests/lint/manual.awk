# manual.awk: a program's page names each parameter of its table, and no other. First file: the program; second: its page.

NR == FNR {
    program = FILENAME
    while (match($0, /\{"[a-z_0-9]+", PARAM_/)) {
        name = substr($0, RSTART + 2, RLENGTH - 11)
        line[name] = FNR
        $0 = substr($0, RSTART + RLENGTH)
    }
    next
}

$1 == ".Sh" {
    in_parameters = $2 == "PARAMETERS"
}

# .It Cm one , two
in_parameters && $1 == ".It" && $2 == "Cm" {
    for (i = 3; i <= NF; i++) {
        has[$i] = 1
        if ($i != "," && !($i in line))
            print FILENAME ":" FNR ": parameter: '" $i "' is no parameter of the program"
    }
}

END {
    for (name in line)
        if (!(name in has))
            print program ":" line[name] ": parameter: '" name "' is not among the PARAMETERS of " FILENAME
}
