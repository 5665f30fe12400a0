# Completion of postroad in fish; installed as share/fish/vendor_completions.d/postroad.fish
function __postroad_complete
	set -l words (commandline -opc)
	set -l found ($words[1] complete -- $words[2..] (commandline -ct) 2>/dev/null)
	if test "$found[1]" = ":files"
		__fish_complete_path (commandline -ct)
	else
		printf '%s\n' $found
	end
end
complete -c postroad -f -a '(__postroad_complete)'
