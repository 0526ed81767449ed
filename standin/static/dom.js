// Builds elements; text is inserted as text nodes only, never as markup.

const build = window.site.build;

/** Returns a class name without meaning. It depends on the build, so readers cannot rely on it. */
function className(role) {
  let hash = 7;
  for (const letter of build + role) hash = (hash * 31 + letter.charCodeAt(0)) % 2147483647;
  return "x" + hash.toString(36);
}

/** Creates an element: element("div.label", "text", child, [more]). The role after the dot becomes a class. */
export function element(tagAndRole, ...children) {
  const [tag, role] = tagAndRole.split(".");
  const made = document.createElement(tag);
  made.setAttribute(`_ngcontent-${build}`, "");
  made.className = className(role || tag);
  made.append(...children.flat(Infinity));
  return made;
}

export function link(href, text) {
  const made = element("a", text);
  made.href = href;
  return made;
}

/**
 * Inserts a separator between the items of a list. The separator is a text, or a function that creates an element each
 * time, because one element cannot be in two places.
 */
export function joined(items, separator) {
  const between = () => (typeof separator === "function" ? separator() : separator);
  return items.flatMap((item, index) => (index ? [between(), item].flat() : item));
}
