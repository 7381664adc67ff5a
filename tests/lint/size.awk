# size.awk: how long files and lines are, how long functions of JavaScript are, that scripts and modules say what they are.

BEGIN {
    FILE_MOST = 500
    LINE_MOST = 130 # of what is built and served
    TEST_LINE_MOST = 150
    FUNCTION_MOST = 60
}

function end_file() {
    if (is_source && lines > FILE_MOST)
        print file ":" FILE_MOST + 1 ": file: '" file "' has " lines " lines; " FILE_MOST " are the most"
}

FNR == 1 {
    end_file()
    file = FILENAME
    is_script = /^#!.*sh/
    is_js = file ~ /\.js$/
    is_source = is_script || is_js || file ~ /\.([ch]|css|awk|sql)$/
    is_wide = !(is_source || file ~ /(^|\/)Makefile$/)
    function_at = 0
    if ((is_js && !/^(\/\*|\/\/|#!)/) || (file ~ /\.(css|awk|sql)$/ && !/^(\/\*|#|--)/))
        print file ":1: opening: '" file "' does not open with a comment that says what it is"
}

is_script && FNR == 2 && !/^# / {
    print file ":2: opening: '" file "' does not open with a comment that says what it is"
}

{
    lines = FNR
    columns = $0
    gsub(/[\200-\277]/, "", columns)
    if (!is_wide && length(columns) > (file ~ /^tests\// ? TEST_LINE_MOST : LINE_MOST))
        print file ":" FNR ": line: '" length(columns) "' columns; " (file ~ /^tests\// ? TEST_LINE_MOST : LINE_MOST) " are the most"
}

# A function of a module begins in the first column, a method of a class in the fifth; both end where they began.
is_js && !function_at && /^(    )?(export )?(default )?(async )?(static )?(function.*\(|[A-Za-z_#]+\(|const [A-Za-z]+ = .*=>)/ &&
/\{$/ {
    name = $0
    sub(/^ *(export )?(default )?(async )?(static )?(function\*? |const )?/, "", name)
    sub(/[^A-Za-z0-9_#].*/, "", name)
    match($0, /^ */)
    indent = RLENGTH
    function_at = FNR
}
is_js && function_at && match($0, /^ *}/) && RLENGTH == indent + 1 {
    if (FNR - function_at + 1 > FUNCTION_MOST)
        print file ":" function_at ": function: '" name "' has " FNR - function_at + 1 " lines; " FUNCTION_MOST " are the most"
    function_at = 0
}

END { end_file() }
