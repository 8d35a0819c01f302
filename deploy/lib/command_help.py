#!/usr/bin/env python3
"""Writes the man page and the bash completion of a program from what it prints with --help.

Usage: command_help.py PROGRAM --man FILE.1.gz --bash FILE
"""

import argparse
import dataclasses
import gzip
import pathlib
import re
import subprocess

# `  --name TEXT REQUIRED   description` of CLI11, or `  -n, --name <VALUE>` of clap with the description below it. CLI11 fills
# up to column 30, or 32 in a group, so that one space may come before the description.
_OPTION = re.compile(r"^ +(?:-(\w), ?)?--([\w-]+)(\{\w+\})?(?: (\S.*?))??(?:(?:  +|(?<=^.{29}) |(?<=^.{31}) )(\S.*))?$")
_COMMAND = re.compile(r"^  (\S+)  +(\S.*)$")
_HEADING = re.compile(r"^\S.*:$|^ *\[.*\]$|^ +Options:$")


@dataclasses.dataclass
class Option:
    name: str
    letter: str
    value: str  # as the help shows it; empty: a flag
    description: str

    @property
    def choices(self):
        """The values that it accepts, if the help lists them."""
        braces = re.match(r"TEXT:\{([\w,-]+)\}", self.value)
        if braces:
            return braces[1].split(",")
        return re.findall(r"^- ([\w-]+):", self.description, re.MULTILINE)


@dataclasses.dataclass
class Command:
    path: list  # names below the program
    description: str
    usage: str
    options: list
    commands: list


def help_of(program, path):
    return subprocess.run([program, *path, "--help"], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def read_command(program, path=()):
    """The command at this path of the program, with all commands below it."""
    description, _, rest = help_of(program, path).partition("Usage: ")
    usage, *lines = rest.splitlines()
    command = Command(list(path), " ".join(description.split()), usage, [], [])
    in_commands = False
    for line in lines:
        if line == "Subcommands:":
            in_commands = True
        elif in_commands and (below := _COMMAND.match(line)):
            command.commands.append(read_command(program, [*path, below[1]]))
        elif not in_commands and (option := _OPTION.match(line)):
            letter, name, _, value, text = option.groups()
            command.options.append(Option(name, letter or "", value or "", text or ""))
        elif _HEADING.match(line) or not command.options or in_commands:
            continue
        else:
            last = command.options[-1]
            last.description = f"{last.description}\n{line.strip()}".strip()
    return command


def every(command):
    yield command
    for below in command.commands:
        yield from every(below)


def roff(text):
    """Text without requests and escapes of roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return re.sub(r"(?m)^([.])", r"\\&\1", text)


def plain_value(option):
    """The value for the head of an option: TEXT=info and TEXT REQUIRED become TEXT, and <IP:PORT> becomes IP:PORT."""
    if option.value.startswith("<"):
        return option.value[1:].partition(">")[0]
    return re.split(r"[=:]|(?:^| )(?:REQUIRED|Needs|Excludes|\.\.\.)", option.value)[0].strip()


def remarks(option):
    """What the help says of the value besides its type."""
    words = []
    if "REQUIRED" in option.value:
        words.append("Required.")
    for relation, sentence in (("Needs", "Needs"), ("Excludes", "Excludes")):
        if found := re.search(rf"{relation}: ((?:--[\w-]+ ?)+)", option.value):
            words.append(f"{sentence} {', '.join(found[1].split())}.")
    if re.match(r"TEXT:\{", option.value):
        words.append(f"One of {', '.join(option.choices)}.")
    if found := re.search(r"in \[(\d+) - (\d+)\]", option.value):
        words.append(f"From {found[1]} to {found[2]}.")
    if found := re.search(r"=([^ ]+)", option.value):
        words.append(f"Default: {found[1]}.")
    return words


def option_lines(option):
    head = f"\\fB\\-\\-{roff(option.name)}\\fR"
    if option.letter:
        head = f"\\fB\\-{option.letter}\\fR, {head}"
    if value := plain_value(option):
        head += f" \\fI{roff(value)}\\fR"
    yield ".TP"
    yield head
    # A blank line of the help begins a paragraph, and a list has a line for each item.
    for number, part in enumerate(re.split(r"\n\s*\n|\n(?=- )", option.description)):
        if number:
            yield ".br"
        yield roff(" ".join(part.split()).rstrip(".")) + "."
    if words := remarks(option):
        yield roff(" ".join(words))


def man_page(name, version, root):
    text = root.description.rstrip(".")
    lines = [f'.TH {name.upper()} 1 "" "{version}" "lean Ethereum node"', ".SH NAME",
             f"{name} \\- {roff(text[0].lower() + text[1:])}", ".SH SYNOPSIS"]
    for command in every(root):
        if not command.commands:
            words = " ".join([name, *command.path])
            lines += [".PP", f"\\fB{roff(words)}\\fR {roff(command.usage.partition('[OPTIONS]')[1] or '[OPTIONS]')}"]
    lines += [".SH DESCRIPTION", roff(root.description), ".SH OPTIONS"]
    for option in root.options:
        lines += option_lines(option)
    if root.commands:
        lines.append(".SH COMMANDS")
    for command in every(root):
        if command is root:
            continue
        lines += [f".SS {roff(' '.join(command.path))}", roff(command.description)]
        for option in command.options:
            if option.name != "help":
                lines += option_lines(option)
    lines += [".SH EXIT STATUS", "0: success. 1: failure, with the reason on standard error. 2: wrong usage.", ".SH SEE ALSO"]
    others = [other for other in ("lean-beacon", "lean-p2p", "lean-validator") if other != name]
    lines.append(", ".join(f"\\fB{roff(other)}\\fR(1)" for other in others))
    return "\n".join(lines) + "\n"


def completion(name, root):
    function = "_" + name.replace("-", "_")
    commands = list(every(root))
    known = "|".join(f'"{" ".join(command.path)}"' for command in commands if command.path)
    lines = [f"# Completion of {name} for bash, made from its --help.", f"{function}() {{",
             '  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} path="" next i words="" values=""',
             "  COMPREPLY=()"]
    if known:
        lines += ["  for ((i = 1; i < COMP_CWORD; ++i)); do", '    next="${path:+$path }${COMP_WORDS[i]}"', "    case $next in",
                  f"      {known}) path=$next ;;", "    esac", "  done"]
    lines.append("  case $path in")
    for command in commands:
        # The program's own options are also accepted after a command.
        options = {option.name: option for option in (*root.options, *command.options)}
        words = [f"--{option}" for option in options if command is root or option != "version"]
        words += [below.path[-1] for below in command.commands]
        lines += [f'    "{" ".join(command.path)}")', f'      words="{" ".join(words)}"', "      case $previous in"]
        for option in options.values():
            if option.choices:
                lines.append(f'        --{option.name}) values="{" ".join(option.choices)}" ;;')
        taking = [f"--{option.name}" for option in options.values() if plain_value(option) and not option.choices]
        if taking:
            lines.append(f"        {' | '.join(taking)}) values=FILE ;;")
        lines += ["      esac", "      ;;"]
    lines += ["  esac",
              "  # shellcheck disable=SC2207  # file names with spaces are left to bash (compopt)",
              "  if [[ $values == FILE ]]; then", "    compopt -o filenames 2>/dev/null",
              '    COMPREPLY=($(compgen -f -- "$word"))', "  else",
              '    COMPREPLY=($(compgen -W "${values:-$words}" -- "$word"))', "  fi", "}",
              f"complete -F {function} {name}"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--man", type=pathlib.Path, required=True, help="man page to write, compressed")
    parser.add_argument("--bash", type=pathlib.Path, required=True, help="completion to write")
    options = parser.parse_args()
    name = options.program.name
    root = read_command(options.program)
    version = subprocess.run([options.program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split(" (")[0]
    for path in (options.man, options.bash):
        path.parent.mkdir(parents=True, exist_ok=True)
    # Without a time, so that the same program has the same page.
    options.man.write_bytes(gzip.compress(man_page(name, version.strip(), root).encode(), mtime=0))
    options.bash.write_text(completion(name, root), encoding="utf-8")


if __name__ == "__main__":
    main()
