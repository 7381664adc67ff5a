# text.awk: words that stand nowhere in the tree: notes of unfinished work, places on somebody's machine.

/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)/ {
    print FILENAME ":" FNR ": unfinished: 'TODO' or the like: finish it, or write an issue"
}

/(^|[^A-Za-z0-9_.*-])(\/work\/|\/root\/|\/home\/[a-z]|\/Users\/)|bash_jobs|registry\.npmjs|deb\.debian\.org/ {
    print FILENAME ":" FNR ": machine: 'path' of one machine, or the host that it was fetched from"
}
