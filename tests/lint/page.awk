# page.awk: what the Content-Security-Policy would refuse, and what would let a customer's words become markup.

function find(rule, name, sentence) {
    print FILENAME ":" FNR ": " rule ": '" name "' " sentence
}

FNR == 1 {
    is_js = FILENAME ~ /\.js$/
}

# A comment may name what the code must not do.
is_js && /^[ \t]*(\/\*|\*|\/\/)/ {
    next
}

is_js && match($0, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe|DOMParser/) {
    find("markup", substr($0, RSTART, RLENGTH), "makes markup out of text: use textContent")
}

is_js && match($0, /(^|[^A-Za-z0-9_.])(eval\(|new Function|(setTimeout|setInterval)\(['"`])/) {
    find("eval", substr($0, RSTART, RLENGTH), "makes code out of text")
}

!is_js && tolower($0) ~ /<style|<[a-z][^>]* style *=/ {
    find("inline", "style", "stands in a page: it belongs to style.css")
}

!is_js && tolower($0) ~ /<script/ && tolower($0) !~ /<script[^>]* src=/ {
    find("inline", "script", "stands in a page: it belongs to js/")
}

!is_js && match(tolower($0), /<[a-z][^>]* on[a-z]+ *=|javascript:/) {
    find("inline", "handler", "stands in a page: it belongs to js/")
}

!is_js && /<(script|link|img|source|audio|video|iframe)[^>]* (src|href)="(https?:)?\/\// {
    find("inline", "host", "of somebody else is asked for a part of the page")
}
