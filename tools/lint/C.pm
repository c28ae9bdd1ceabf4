# SPDX-License-Identifier: Apache-2.0
# Reads C just well enough for the house rules: no comments, no literals, functions with their bodies.
# Uses nothing that is not in perl-base.
package C;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(files read_text bare functions parameters deepest complain finish listed);

my $count = 0;

# The tracked files (or, for a self-test, the arguments) whose names match.
sub files {
	my ($pattern, @given) = @_;
	my @all = @given;
	if (!@all) {
		open(my $git, '-|', 'git', 'ls-files', '-co', '--exclude-standard') or die "git: $!\n";
		chomp(@all = <$git>);
		close($git) or die "lint: needs git and a repository\n";
		@all = grep { !m{^tests/lint/(?:bad|good)/} } @all;
	}
	return grep { $_ =~ $pattern && -f $_ } @all;
}

sub read_text {
	my ($file) = @_;
	open(my $in, '<', $file) or die "$file: $!\n";
	local $/;
	return scalar(<$in>) // '';
}

# The same lines and columns, with comments and the insides of literals made blank.
sub bare {
	my ($text) = @_;
	my $blank = sub { my ($s) = @_; $s =~ s/[^\n]/ /g; $s };
	$text =~ s{(/\*.*?\*/|//[^\n]*)|"((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'}{
		defined $1 ? $blank->($1)
		: defined $2 ? '"' . ('_' x length($2)) . '"'
		: "'" . ('_' x length($3)) . "'"
	}gsex;
	return $text;
}

# The functions defined in bare text: name, line of the name, last line, parameters, body.
sub functions {
	my ($text) = @_;
	my @found;
	# preprocessor lines hold no functions of ours
	$text =~ s{^([ \t]*\#(?:[^\n\\]|\\\n|\\.)*)}{ my $s = $1; $s =~ s/[^\n]/ /g; $s }gem;
	my $depth = 0;
	my $start;
	while ($text =~ /([{}])/g) {
		my $at = $-[1];
		if ($1 eq '{') {
			$start = $at if $depth++ == 0;
			next;
		}
		next if $depth == 0 || --$depth > 0;
		my $head = substr($text, 0, $start);
		next if $head !~ /([A-Za-z_]\w*)\s*(\((?:[^()]|(?2))*\))\s*$/s;
		my ($name, $args, $name_at) = ($1, $2, $-[1]);
		push @found, {
			name => $name,
			line => 1 + (substr($text, 0, $name_at) =~ tr/\n//),
			end => 1 + (substr($text, 0, $at) =~ tr/\n//),
			args => substr($args, 1, -1),
			body => substr($text, $start, $at - $start + 1),
			body_line => 1 + (substr($text, 0, $start) =~ tr/\n//),
		};
	}
	return @found;
}

sub parameters {
	my ($args) = @_;
	return 0 if $args =~ /^\s*(void)?\s*$/;
	my $depth = 0;
	my $commas = 0;
	for my $c (split //, $args) {
		$depth++ if $c eq '(' || $c eq '[';
		$depth-- if $c eq ')' || $c eq ']';
		$commas++ if $c eq ',' && $depth == 0;
	}
	return $commas + 1;
}

# How many if, for, while, switch or do stand around the deepest statement of a body, and where.
# An "else if" is a rung of the same ladder, not a step down.
sub deepest {
	my ($body) = @_;
	my @tokens;
	my $line = 0;
	while ($body =~ /(\n)|([A-Za-z_]\w*)|(\S)/g) {
		if (defined $1) { $line++ } else { push @tokens, [ $2 // $3, $line ] }
	}
	my $deepest = 0;
	my $where = 0;
	my $i = 0;
	my $skip_parens = sub {
		my $depth = 0;
		while ($i < @tokens) {
			my $t = $tokens[$i++][0];
			$depth++ if $t eq '(';
			last if $t eq ')' && --$depth == 0;
		}
	};
	my $skip_simple = sub {
		my $depth = 0;
		while ($i < @tokens) {
			my $t = $tokens[$i++][0];
			$depth++ if $t =~ /^[({\[]$/;
			$depth-- if $t =~ /^[)}\]]$/;
			last if $depth == 0 && $t eq ';';
			last if $depth < 0;
		}
	};
	my $statement;
	$statement = sub {
		my ($depth) = @_;
		return if $i >= @tokens;
		my ($t, $at) = @{ $tokens[$i] };
		($deepest, $where) = ($depth, $at) if $depth > $deepest;
		if ($t eq '{') {
			$i++;
			$statement->($depth) while $i < @tokens && $tokens[$i][0] ne '}';
			$i++;
		} elsif ($t eq 'if' || $t eq 'for' || $t eq 'while' || $t eq 'switch') {
			$i++;
			$skip_parens->();
			$statement->($depth + 1);
			if ($t eq 'if' && $i < @tokens && $tokens[$i][0] eq 'else') {
				$i++;
				my $is_ladder = $i < @tokens && $tokens[$i][0] eq 'if';
				$statement->($is_ladder ? $depth : $depth + 1);
			}
		} elsif ($t eq 'do') {
			$i++;
			$statement->($depth + 1);
			$skip_simple->();
		} elsif ($t eq 'case' || $t eq 'default') {
			$i++ while $i < @tokens && $tokens[$i][0] ne ':';
			$i++;
		} else {
			$skip_simple->();
		}
	};
	$statement->(0);
	return ($deepest, $where);
}

sub complain {
	my ($file, $line, $rule, $words) = @_;
	print "$file:$line: $rule: $words\n";
	$count++;
}

sub finish { exit($count > 0 ? 1 : 0) }

# An allow list beside the script: "path<TAB>word<TAB>reason" per line; a line without reason is an error.
sub listed {
	my ($file) = @_;
	my %listed;
	return \%listed if !-f $file;
	my $n = 0;
	for my $line (split /\n/, read_text($file)) {
		$n++;
		next if $line =~ /^(#|$)/;
		my ($path, $word, $why) = split /\t/, $line, 3;
		if (!defined $why || $why !~ /\w \w/) {
			complain($file, $n, 'allow-list', 'path, word and reason, with tabs between');
			next;
		}
		complain($file, $n, 'allow-list', "$path is not there any more") if !-e $path;
		$listed{$path}{$word} = 1;
	}
	return \%listed;
}

1;
