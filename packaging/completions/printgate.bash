# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for printgate(1). Verbs and options are read from the program's own help, so that
# they need no second list here; it asks no daemon.

_printgate_help() {
	printgate help "$@" 2>/dev/null
}

_printgate() {
	local word=${COMP_WORDS[COMP_CWORD]} verb="" i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket) ((i++)) ;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]}
			[[ $verb == printer || $verb == page ]] && ((i + 1 < COMP_CWORD)) &&
				verb+=" ${COMP_WORDS[i + 1]}"
			break
			;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--socket | --output | --config)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--preset)
		mapfile -t COMPREPLY < <(compgen -W "$(printgate presets 2>/dev/null |
			awk '/^[a-z0-9]+  /{print $1}')" -- "$word")
		return
		;;
	esac
	if [[ -z $verb || $verb == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "help --json --socket $(_printgate_help |
			awk '/^  [a-z]/{print $1}')" -- "$word")
	elif [[ $verb == printer ]]; then
		mapfile -t COMPREPLY < <(compgen -W "add confirm list remove" -- "$word")
	elif [[ $verb == page && $word != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "password token" -- "$word")
	elif [[ $verb == image-check && $word != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
	elif [[ $word == -* ]]; then
		# shellcheck disable=SC2086 # two words: "printer add"
		mapfile -t COMPREPLY < <(compgen -W "$(_printgate_help $verb |
			awk '/^  --/{print $1}')" -- "$word")
	fi
}

complete -F _printgate printgate
