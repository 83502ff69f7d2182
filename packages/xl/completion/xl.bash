# Bash completion for xl: the first word is a command, a later one a domain or a file.

_xl() {
  local current=${COMP_WORDS[COMP_CWORD]} candidates=""
  if ((COMP_CWORD == 1)); then
    # The list begins behind four lines of head; a command's line begins with one space.
    candidates=$(xl help 2>/dev/null | sed -n '5,$s/^ \([^ ][^ ]*\).*/\1/p')
  else
    case ${COMP_WORDS[1]} in
      create | domid) ;;
      # Only a host that runs already is asked.
      *) [[ -S ${XEN_HOST_DIR:-${XDG_RUNTIME_DIR:-/nowhere}/xen-host}/host.sock ]] && candidates=$(xl vm-list 2>/dev/null | awk 'NR > 1 { print $3 }') ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current")
}

complete -o default -F _xl xl
