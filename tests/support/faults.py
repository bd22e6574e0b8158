"""What may be wrong with a value, made from its schema (JSON Schema, as OpenAPI and AsyncAPI hold it): so a field that is new is tried as well."""

import json

MANY = 100_000


class Raw(str):
    """JSON text that json.dumps would not write."""


def dumps(value):
    """JSON with Raw parts in it."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list) and len(value) <= 10:
        return "[" + ",".join(dumps(item) for item in value) + "]"
    return json.dumps(value)


LONE_SURROGATE, NUL, OVERRIDE = Raw(r'"\ud800"'), "a\0b", "abc\u202edef"
DEEP = Raw("[" * 100 + "]" * 100)


class Schemas:
    """The schemas of a document, with its references followed."""

    def __init__(self, document):
        self._named = document["components"]["schemas"]

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self._named[schema["$ref"].rpartition("/")[2]]
        return schema

    def forms(self, schema):
        """The schemas any of which a value may fit."""
        schema = self.resolve(schema)
        return [form for part in schema.get("anyOf", schema.get("oneOf", [schema])) for form in (self.forms(part) if part is not schema else [part])]

    def kinds(self, schema):
        """The types it allows; an enum is one of its own."""
        kinds = set()
        for form in self.forms(schema):
            kind = form.get("type", [])
            kinds.update(["enum"] if "enum" in form else [kind] if isinstance(kind, str) else kind)
        return kinds

    def good(self, schema):
        """The smallest value that fits."""
        form = self.forms(schema)[0]
        if "enum" in form:
            return form["enum"][0]
        if "const" in form:
            return form["const"]
        match form.get("type"):
            case "string":
                return "somebody@example.org" if form.get("format") == "email" else "x" * max(1, form.get("minLength", 1))
            case "integer" | "number":
                return max(1, form.get("minimum", 1))
            case "boolean":
                return True
            case "array":
                return [self.good(form["items"])] * form.get("minItems", 0)
            case "object":
                return {name: self.good(form["properties"][name]) for name in form.get("required", [])}
        raise AssertionError(f"no value for {form}")

    def bad(self, schema):
        """(What is wrong, a value, whether it must be refused): of a wrong type, null, too short, too long, too small, too large, too many,
        with NUL, with half a surrogate pair, nested deep, with a direction override."""
        kinds = self.kinds(schema)
        samples = {"string": "x", "integer": 7, "boolean": True, "array": [], "object": {}, "null": None}
        for kind, sample in samples.items():
            if kind not in kinds and not (kind == "string" and "enum" in kinds) and not (kind == "integer" and "number" in kinds):
                yield f"a {kind}", sample, None if kind == "boolean" and "integer" in kinds else True  # as Pydantic reads one
        yield "100 levels", DEEP, "array" not in kinds or None  # a list of anything may hold one
        for form in self.forms(schema):
            if "enum" in form:
                yield "no such choice", "no such choice", True
            elif form.get("type") == "string":
                if form.get("minLength", 0) > 0:
                    yield "too short", "x" * (form["minLength"] - 1), True
                if "maxLength" in form:
                    yield "too long", "x" * (form["maxLength"] + 1), True
                yield "NUL", NUL, True
                yield "half a surrogate pair", LONE_SURROGATE, True
                yield "a direction override", OVERRIDE, None
            elif form.get("type") in ("integer", "number"):
                yield "a fraction", 1.5, form["type"] == "integer" or None
                yield "a number of 400 digits", Raw("9" * 400), True
                yield "1e999", Raw("1e999"), True
                if "minimum" in form:
                    yield "too small", form["minimum"] - 1, True
                yield "too large", form.get("maximum", 2**63 - 1) + 1, True
            elif form.get("type") == "array":
                good = self.good(form["items"])
                if form.get("minItems", 0) > 0:
                    yield "too few", [good] * (form["minItems"] - 1), True
                if "maxItems" in form:
                    yield "too many", [good] * (form["maxItems"] + 1), True
                yield f"{MANY} of them", [good] * MANY, "maxItems" in form or None
                for what, value, refused in self.bad(form["items"]):
                    if what.startswith(str(MANY)) or what == "100 levels":
                        continue
                    yield f"an item: {what}", [value], refused
