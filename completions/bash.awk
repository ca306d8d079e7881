# How bash completes a tool's command line, from what it says of its options:
#
#   rs-norm -help -verbose | awk -v tool=rs-norm -f completions/bash.awk
BEGIN { FS = "\t" }
NR == 1 { next }
{ options = options (options ? " " : "") "-" $1 ($2 == "flag" ? "" : "=") }
$2 == "choice" {
    gsub(/\|/, " ", $3)
    cases = cases sprintf("        -%s) words=\"%s\" ;;\n", $1, $3)
}
$2 == "input" || $2 == "output" { cases = cases sprintf("        -%s) files=yes ;;\n", $1) }
END {
    function_name = "_" tool
    gsub(/-/, "_", function_name)
    print "# bash completion of " tool
    print function_name "() {"
    print "    local word=${COMP_LINE:0:COMP_POINT} name value words= files= IFS=$' \\t\\n'"
    print "    word=${word##*[[:space:]]}"
    print "    case $word in"
    print "    -*=*)"
    print "        name=${word%%=*} value=${word#*=}"
    print "        case ${name/#--/-} in"
    printf "%s", cases
    print "        esac"
    print "        [ -z \"$words\" ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$value\")"
    print "        [ -z \"$files\" ] || mapfile -t COMPREPLY < <(compgen -f -- \"$value\")"
    print "        # where = does not end a word, the reply is all of it"
    print "        [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=(\"${COMPREPLY[@]/#/$name=}\")"
    print "        ;;"
    print "    -*)"
    print "        mapfile -t COMPREPLY < <(compgen -W \"" options "\" -- \"${word/#--/-}\")"
    print "        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null"
    print "        ;;"
    print "    *) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;"
    print "    esac"
    print "}"
    print "complete -o filenames -F " function_name " " tool
}
