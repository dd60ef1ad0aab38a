#!/usr/bin/env python3
"""compare.py - the fields that VK's objects have, by public sources.

Prints tests/catalogue/fields.tsv: object.field, kind, sources. For repeating by
hand when VK changes; nothing is fetched. Check out (a bare clone is enough) any
of the sources into one folder, as OWNER+NAME, and give the folder:

    for name in VKCOM/vk-api-schema vkbottle/types vknet/vk SevereCloud/vksdk \\
        negezor/vk-io VKCOM/vk-java-sdk yvasyliev/java-vk-bots-longpoll-api \\
        melod1n/fast-messenger
    do git clone -q --bare https://github.com/$name "/tmp/vk/${name%/*}+${name#*/}"
    done
    tests/catalogue/compare.py /tmp/vk >tests/catalogue/fields.tsv

The walk starts at roots.tsv, which pairs objects of objects.def with the types
of the sources; a pair's fields that hold objects pair more, but for !TYPE, which
a source uses for several objects. --types prints the pairs. tests/e2e/events.sh
then tells what objects.def lacks: add the field, or a row with a reason to
left-out.tsv.
"""
import ast
import glob
import json
import os
import re
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCALARS = {
    "integer": "int", "number": "number", "string": "text", "boolean": "bool",
    "str": "text", "int": "int", "float": "number",
    "long": "int", "ulong": "int", "uint": "int", "short": "int", "byte": "int",
    "decimal": "number", "double": "number", "DateTime": "int", "Uri": "text",
    "Integer": "int", "Long": "int", "Float": "number", "Double": "number",
    "String": "text", "URI": "text", "Boolean": "bool", "BoolInt": "bool",
    "int64": "int", "float64": "number", "bool": "bool",
    "BaseBoolInt": "bool", "base_bool_int": "bool",
}


# A type is "int" or the like, ("list", TYPE), ("type", NAME), or a frozenset of
# several.

class Source:
    """Types by name: their fields, and types that they are made of."""

    def __init__(self, name):
        self.name, self.fields, self.bases = name, {}, {}

    def add(self, name, fields, bases=()):
        self.fields.setdefault(name, {}).update(fields)
        self.bases.setdefault(name, []).extend(bases)

    def all_fields(self, name, seen=()):
        if name in seen:
            return {}
        found = dict(self.fields.get(name, {}))
        for base in self.bases.get(name, ()):
            for field, kind in self.all_fields(base, (*seen, name)).items():
                found.setdefault(field, kind)
        return found

    def kinds(self, kind):
        """The kinds that a type may be, each with the types inside."""
        if isinstance(kind, frozenset):
            for one in kind:
                yield from self.kinds(one)
        elif kind[0] == "list":
            for inner, types in self.kinds(kind[1]):
                yield ("list" if inner == "any" else f"list of {inner}"), types
        elif kind[0] == "type":
            scalar = SCALARS.get(kind[1]) or self.bases.get("=" + kind[1])
            if scalar:
                yield from self.kinds(scalar)
            elif kind[1] in self.fields:
                yield "object", [kind[1]]
            else:
                yield "any", []
        else:
            yield kind, []


def files(checkout, pattern):
    """Path and text of the files whose path the pattern fits."""
    git = subprocess.Popen(["git", "-C", checkout, "archive", "HEAD"],
        stdout=subprocess.PIPE)
    with tarfile.open(fileobj=git.stdout, mode="r|") as tar:
        for member in tar:
            if member.isfile() and re.search(pattern, member.name):
                yield member.name, \
                    tar.extractfile(member).read().decode("utf-8-sig")
    git.wait()


def one_of(*kinds):
    """A type that is any of these."""
    flat = set()
    for kind in kinds:
        flat |= kind if isinstance(kind, frozenset) else {kind}
    flat.discard("none")
    return flat.pop() if len(flat) == 1 else frozenset(flat)


def read_here(path):
    with open(os.path.join(HERE, path), encoding="utf-8") as file:
        return file.read()


def named(name):
    return SCALARS.get(name) or ("type", name)


def read_schema(source, checkout):
    def kind(node):
        if "$ref" in node:
            return named(node["$ref"].split("/")[-1])
        if "oneOf" in node:
            return one_of(*map(kind, node["oneOf"]))
        if isinstance(node.get("type"), list):
            return one_of(*(SCALARS.get(one, "any") for one in node["type"]))
        if node.get("type") == "array":
            return ("list", kind(node.get("items", {})))
        if "properties" in node or "allOf" in node:
            name = f"{here}.{len(source.fields)}"
            define(name, node)
            return ("type", name)
        if node.get("type") == "integer" and \
                set(node.get("enum", [2])) <= {0, 1}:
            return "bit"
        return SCALARS.get(node.get("type"),
            "object" if node.get("type") == "object" else "any")

    def define(name, node):
        parts = [node, *node.get("allOf", ())]
        fields, bases = {}, []
        for part in parts:
            if "$ref" in part:
                bases.append(part["$ref"].split("/")[-1])
            for field, value in part.get("properties", {}).items():
                fields[field] = kind(value)
            if part is not node and "allOf" in part:
                bases.append(kind(part)[1])
        source.add(name, fields, bases)

    for _, text in files(checkout, r"^\w+/objects\.json$"):
        for here, node in json.loads(text)["definitions"].items():
            if node.get("type") == "object" or "allOf" in node:
                define(here, node)
            else:
                source.bases["=" + here] = kind(node)


def read_python(source, checkout):
    def kind(node):
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return kind(ast.parse(node.value, mode="eval").body)
            return "none"
        if isinstance(node, ast.BinOp):
            return one_of(kind(node.left), kind(node.right))
        if isinstance(node, ast.Subscript):
            outer = ast.unparse(node.value)
            if outer in ("list", "List", "typing.List"):
                return ("list", kind(node.slice))
            if outer in ("Optional", "typing.Optional"):
                return kind(node.slice)
            return "any"
        name = ast.unparse(node)
        return "any" if name == "dict" else named(name.split(".")[-1])

    for _, text in files(checkout,
            r"/(codegen/)?objects(/group_event_objects)?\.py$"):
        for node in ast.parse(text).body:
            if not isinstance(node, ast.ClassDef):
                continue
            bases = [ast.unparse(base) for base in node.bases]
            if "IntEnum" in bases or "StrEnum" in bases:
                source.bases["=" + node.name] = \
                    "int" if "IntEnum" in bases else "text"
                continue
            fields = {}
            for line in node.body:
                if isinstance(line, ast.AnnAssign):
                    fields[line.target.id.rstrip("_")] = kind(line.annotation)
            source.add(node.name, fields, bases)


def read_csharp(source, checkout):
    listed = r"^(?:ReadOnlyCollection|VkCollection|List|IEnumerable|" \
        r"ICollection|IList|IReadOnlyCollection)<(.+)>$"

    def kind(text):
        text = text.rstrip("?")
        inside = re.match(listed, text)
        if inside or text.endswith("[]"):
            return ("list", kind(inside[1] if inside else text[:-2]))
        return named(text)

    for path, text in files(checkout, r"^VkNet/(Model|Enums)/.*\.cs$"):
        for name in re.findall(r"\benum (\w+)", text):
            source.bases["=" + name] = "enum"
        at, bases = None, []
        pattern = r"\b(?:class|record) (\w+)(?: *: *([\w, <>]+))?|" \
            r'\[JsonProperty\(\s*(?:PropertyName *= *)?"(\w+)"[^]]*\]' \
            r"((?:\s*(?:\[[^]]*\]|//[^\n]*))*)\s*public (?:new |virtual |" \
            r"override )*([\w<>\[\]?,. ]+?) \w+\s*(?:\{|=>|$)"
        for found in re.finditer(pattern, text):
            if found[1]:
                at = found[1]
                source.add(at, {}, [base for base
                    in re.findall(r"\w+", found[2] or "")
                    if base != "MediaAttachment"])	# has an id for all
            elif at:
                source.add(at, {found[3]: kind(found[5])})


def read_go(source, checkout):
    def kind(text):
        text = text.lstrip("*")
        if text.startswith("[]"):
            return ("list", kind(text[2:]))
        if text.startswith("map[") or text in ("interface{}", "any"):
            return "any"
        return named(text.split(".")[-1])

    for _, text in files(checkout, r"^(object|events)/\w+\.go$"):
        stack = []
        for line in text.splitlines():
            line = re.sub(r"//.*", "", line).rstrip()
            opened = re.match(r"(?:type )?\s*(\w+)\s+((?:\[\])*\*?)struct \{$",
                line)
            tag = re.search(r'`json:"(\w+)', line)
            member = re.match(r"\s+(\w+)\s+(\S+)\s+`json:\"(\w+)", line)
            if opened:
                stack.append((stack[-1][0] if stack else "") + opened[1]
                    if stack else opened[1])
                stack[-1] = (stack[-1], opened[2])
                source.add(stack[-1][0], {})
            elif stack and re.match(r"\s*\}", line):
                name, prefix = stack.pop()
                if stack and tag:
                    inside = ("type", name)
                    source.add(stack[-1][0], {tag[1]:
                        ("list", inside) if "[]" in prefix else inside})
            elif stack and member:
                source.add(stack[-1][0], {member[3]: kind(member[2])})
            elif stack and re.match(r"\s+[\w.]+$", line):
                source.add(stack[-1][0], {}, [line.strip().split(".")[-1]])
            else:
                alias = re.match(r"type (\w+) ([\w.]+)$", line)
                if alias and alias[2] in SCALARS:
                    source.bases.setdefault("=" + alias[1], SCALARS[alias[2]])
                elif alias:
                    source.add(alias[1], {}, [alias[2].split(".")[-1]])


def read_java(source, checkout):
    root = "com.vk.api.sdk.objects."
    for path, text in files(checkout, r"/sdk/objects/(?!.*responses).*\.java$"):
        package = re.search(r"^package ([\w.]+);", text, re.M)[1]
        imported = {line.split(".")[-1]: line
            for line in re.findall(r"^import ([\w.]+);", text, re.M)}

        def kind(words):
            words = words.strip()
            inside = re.match(r"List<(.+)>$", words)
            if inside:
                return ("list", kind(inside[1]))
            full = imported.get(words, f"{package}.{words}")
            return SCALARS.get(words) or ("type", full.removeprefix(root))

        top = re.search(r"public (class|enum) (\w+)(?: extends (\w+))?", text)
        if not top:
            continue
        name = f"{package}.{top[2]}".removeprefix(root)
        if top[1] == "enum":
            source.bases["=" + name] = "int" if re.search(
                r'^ +[A-Z_0-9]+\((?!")', text, re.M) else "text"
            continue
        fields = {field: kind(words) for field, words in re.findall(
            r'@SerializedName\("(\w+)"\)(?:\s*@\w+)*\s+private ([\w<>]+) \w+;',
            text)}
        source.add(name, fields, [kind(top[3])[1]] if top[3] else [])


def read_typescript(source, checkout):
    def kind(text):
        text = text.strip().strip("()")
        if "|" in text:
            found = one_of(*(kind(part) for part in text.split("|")
                if part.strip() not in ("undefined", "null")))
            return "bool" if found == {"bool", "numeric"} else found
        if text.endswith("[]"):
            return ("list", kind(text[:-2]))
        if text.startswith(("'", '"')):
            return "text"
        # TypeScript has one type of numbers.
        return {"number": "numeric", "any": "any"}.get(text) or named(text)

    for _, text in files(checkout,
            r"^packages/vk-io/src/(api/schemas/objects|structures/.*)\.ts$"):
        stack = []
        for line in text.splitlines():
            opened = re.match(r"(?:export )?interface (\w+)"
                r"(?: extends ([\w, ]+))?.* \{$", line)
            nested = re.match(r"\s+(\w+)\??: \{$", line)
            field = re.match(r"\s+(\w+)\??: ([^;]+);$", line)
            alias = re.match(r"export type (\w+) = ([^;]+);?$", line)
            if opened:
                stack = [(opened[1], None)]
                source.add(opened[1], {}, re.findall(r"\w+", opened[2] or ""))
            elif stack and nested:
                stack.append((stack[-1][0] + "." + nested[1], nested[1]))
                source.add(stack[-1][0], {})
            elif stack and re.match(r"\s*\}(\[\])?;?$", line):
                name, member = stack.pop()
                if stack:
                    inside = ("type", name)
                    source.add(stack[-1][0], {member:
                        ("list", inside) if "[]" in line else inside})
            elif stack and field:
                source.add(stack[-1][0], {field[1]: kind(field[2])})
            elif alias:
                source.bases["=" + alias[1]] = kind(alias[2])


def read_kotlin(source, checkout):
    for _, text in files(checkout, r"/model/.*/api/data/\w+\.kt$"):
        names = re.findall(r"class (\w+) ?\(", text)
        at = None

        def kind(words):
            inside = re.match(r"List<(.+)>$", words)
            if inside:
                return ("list", kind(inside[1]))
            return ("type", f"{names[0]}.{words}") if words in names[1:] \
                else {"Int": "int"}.get(words) or named(words)

        for line in text.splitlines():
            opened = re.search(r"class (\w+) ?\($", line)
            field = re.match(r'\s+(?:@Json\(name = "(\w+)"\) )?val (\w+): '
                r"([\w<>]+)\??(?: = \w+\(\))?,?$", line)
            if opened:
                at = opened[1] if opened[1] == names[0] else \
                    f"{names[0]}.{opened[1]}"
                source.add(at, {})
            elif at and field:
                source.add(at, {field[1] or field[2]: kind(field[3])})
            elif line.startswith(")"):
                at = None


#
# Our own objects.
#

def read_ours():
    """{tag: {JSON key: (name, kind, tag of the objects inside)}}"""
    ours, keys, at = {}, [], None
    for line in read_here("../../src/objects.def").splitlines():
        row = re.match(r"(OBJECT)\((\w+)|\t([A-Z_]+)\((\w+), ([^,]+)", line)
        if row and row[1]:
            at = ours.setdefault(row[2], {})
        elif row and row[3] in ("AKA", "ALSO"):
            keys.append(row[5].strip('")'))
        elif row and row[3] != "ONLY":
            inside = row[5] if row[3] in ("OBJ", "OBJ_TEXT", "LIST") else None
            for key in [row[4].rstrip("_"), *keys]:
                at.setdefault(key, (row[4], row[3], inside))
            keys = []
    return ours


class Found:
    """The rows: {(tag, key): {kind: sources}}"""

    def __init__(self, ours, roots):
        self.ours, self.roots, self.rows, self.pairs = ours, roots, {}, {}

    def note(self, tag, key, kind, source):
        self.rows.setdefault((tag, key), {}).setdefault(kind, set()).add(source)

    def pair(self, tag, source, name):
        """A tag and a source's type, then what their fields hold."""
        names = self.pairs.setdefault((tag, source.name), [])
        if name in names or [tag, source.name, "!" + name] in self.roots:
            return
        if name not in source.fields:
            print(f"{source.name} has no type {name}", file=sys.stderr)
        names.append(name)
        for key, value in source.all_fields(name).items():
            inside = self.ours[tag].get(key, (None, None, None))[2]
            for kind, types in source.kinds(value):
                self.note(tag, key, kind, source.name)
                for one in types if inside else ():
                    self.pair(inside, source, one)

    def body(self, tag, value, source):
        """An object that was sent."""
        for key, sent in value.items():
            inside = self.ours[tag].get(key, (None, None, None))[2]
            if sent is None:
                continue
            self.note(tag, key, sent_kind(sent), source)
            for one in sent if isinstance(sent, list) else [sent]:
                if inside and isinstance(one, dict):
                    self.body(inside, one, source)


def sent_kind(value):
    if isinstance(value, bool):
        return "bool" if value else "false"
    if isinstance(value, (int, float)):
        return "bit" if value in (0, 1) else \
            "int" if value == int(value) else "number"
    if isinstance(value, str):
        return "digits" if re.fullmatch(r"-?[0-9]{1,18}", value) else "text"
    if isinstance(value, dict):
        return "object" if value else "empty object"
    return "list of " + sent_kind(value[0]).replace("bit", "int").replace(
        "digits", "text") if value else "empty list"


# An object that has all of these keys, wherever it stands in a body.
MARKS = {
    "message": "id date from_id peer_id text",
    "wallpost": "date post_type text",
    "photo": "album_id sizes",
    "audio": "artist title duration",
    "video": "title duration owner_id views description",
    "poll": "question answers votes",
    "doc": "title ext size",
    "market_item": "price availability title",
    "sticker": "sticker_id product_id",
    "story": "expires_at owner_id",
    "comment": "from_id date text thread",
    "market_order": "display_order_id total_price",
}


def read_bodies(found, name, checkout, pattern):
    def search(value, event=None):
        if isinstance(value, list):
            for one in value:
                search(one)
        if not isinstance(value, dict):
            return
        tag = EVENTS.get(value.get("type")) \
            if isinstance(value.get("object"), dict) else None
        if tag:
            found.body(tag, value["object"], name)
            return
        for mark, keys in MARKS.items():
            if all(key in value for key in keys.split()):
                found.body(mark, value, name)
                return
        for key, one in value.items():
            if key == "attachments" and isinstance(one, list):
                for each in one:
                    if isinstance(each, dict):
                        found.body("attachment", each, name)
            else:
                search(one)

    for _, text in files(checkout, pattern):
        try:
            search(json.loads(text))
        except ValueError:
            pass


EVENTS = {}
SOURCES = {
    "schema": ("VKCOM+vk-api-schema", read_schema),
    "vkbottle": ("vkbottle+types", read_python),
    "vknet": ("vknet+vk", read_csharp),
    "vksdk": ("SevereCloud+vksdk", read_go),
    "java-sdk": ("VKCOM+vk-java-sdk", read_java),
    "vk-io": ("negezor+vk-io", read_typescript),
    "fast": ("melod1n+fast-messenger", read_kotlin),
}
BODIES = {
    "vknet-bodies": ("vknet+vk", r"^VkNet\.Tests/TestData/.*\.json$"),
    "longpoll-bodies": ("yvasyliev+java-vk-bots-longpoll-api", r"\.json$"),
}


def checkout_of(folder, name):
    for below in ("", "/repo/.git", "/repo"):
        path = os.path.join(folder, name) + below
        if glob.glob(path + "/HEAD") or glob.glob(path + "/.git"):
            return path
    return print(f"{name}: not there, left out", file=sys.stderr)


def main(folder, types=False):
    EVENTS.update(re.findall(r"^EVENT\((\w+), (\w+)",
        read_here("../../src/events.def"), re.M))
    roots = [[tag, of, name] for tag, of, *names
        in map(str.split, read_here("roots.tsv").splitlines()[1:])
        for name in names]
    found = Found(read_ours(), roots)
    for name, (directory, read) in SOURCES.items():
        path = checkout_of(folder, directory)
        if path:
            source = Source(name)
            read(source, path)
            for tag, of, one in roots:
                if of == name and not one.startswith("!"):
                    found.pair(tag, source, one)
    for name, (directory, pattern) in BODIES.items():
        path = checkout_of(folder, directory)
        if path:
            read_bodies(found, name, path, pattern)
    if types:
        for (tag, source), names in sorted(found.pairs.items()):
            print(tag, source, *names, sep="\t")
        return
    for (tag, key), kinds in sorted(found.rows.items()):
        for kind, who in sorted(kinds.items()):
            print(f"{tag}.{key}", kind, " ".join(sorted(who)), sep="\t")


if len(sys.argv) < 2:
    sys.exit(__doc__)
main(sys.argv[1], "--types" in sys.argv)
