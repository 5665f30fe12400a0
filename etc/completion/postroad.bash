# Completion of postroad in bash; installed as share/bash-completion/completions/postroad
_postroad() {
	local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT} words found typed prefix
	IFS=$' \t' read -ra words <<<"$line"
	[[ $line == *[$' \t'] ]] && words+=("")
	typed=${words[-1]}
	found=($("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null))
	COMPREPLY=()
	if [[ ${found[0]-} == :files ]]; then
		compopt -o default
		return
	fi
	# bash takes what is behind the last of @ = : for a word of its own.
	prefix=${typed%"${typed##*[@=:]}"}
	[[ ${#found[@]} -eq 0 ]] || COMPREPLY=($(printf '%q\n' "${found[@]#"$prefix"}")) # names of mailboxes have spaces
}
complete -F _postroad postroad
