#!/bin/sh
# SPDX-License-Identifier: MIT
# ./setup: what it says and returns where there is nothing to install.

setup=$(dirname "$0")/../../setup
count=0
failed=0

# check STATUS PATTERN NAME: of the last call, in $status and $output
check()
{
	count=$((count + 1))
	# shellcheck disable=SC2254
	case $status:$output in
	$1:$2) echo "ok $count - $3" ;;
	*)
		failed=1
		echo "not ok $count - $3"
		echo "#   status $status, said: $output"
		;;
	esac
}

call()
{
	output=$(SETUP=no "$setup" "$@" 2>&1)
	status=$?
}

call
check 1 '*which groups*' 'no group is an error'
call nonsense
check 1 "*no group 'nonsense'*" 'an unknown group is an error that names it'
call build nonsense
check 1 "*no group 'nonsense'*" 'also behind a known one'
call build bench cross san stress vm group models quick-programs programs media embed
check 0 '' 'SETUP=no installs nothing and says nothing'

echo "1..$count"
exit $failed
