// Reads the rendered page: [html or null if it is too long, address, look or null, whether elements are appearing].
// Scrolls the page afterwards, if asked to.
//
// The look says what the markup alone does not: which elements a visitor cannot see, which are struck out, and where
// the stylesheets separate texts. Elements are numbered in document order, `html` is 0. The content of `template` is
// not numbered.

const [maxCharacters, wantsLook, scrolls, inlineTags] = arguments;

const HIDDEN = 1, STRUCK = 2, BLOCK = 4, INLINE = 8, RAISED = 16, MUTED = 32, APART = 64, OPENABLE = 128;
const MAX_ELEMENTS = 20000;
const NEARLY_TRANSPARENT = 0.01;
const FAR_OUTSIDE_PX = -500;
const SKIPPED = new Set(('head script style template noscript svg math iframe object audio video canvas img br wbr'
  + ' option optgroup datalist').split(' '));
const BLOCK_TAGS = new Set(['div', 'p', 'address']);
const SILENT_INPUTS = new Set('hidden password checkbox radio button submit reset image file range color'.split(' '));
const NO_AREA = /^inset\((?:[5-9]\d|100)(?:\.\d+)?%|^circle\(0|^polygon\(0(?:px|%)? 0(?:px|%)?(?:, 0(?:px|%)? 0(?:px|%)?)+\)/;
const NO_COLOR = /^rgba\(.*, 0\)$|^transparent$/;
const PSEUDO_PART = /"((?:[^"\\]|\\.)*)"|attr\(\s*([\w-]+)[^)]*\)/g;
const TOGGLES = ':is([data-bs-toggle], [data-toggle]):is([data-bs-toggle="tab"], [data-bs-toggle="pill"],'
  + ' [data-bs-toggle="collapse"], [data-toggle="tab"], [data-toggle="pill"], [data-toggle="collapse"])';

function wellFormed(text) {
  return text.toWellFormed ? text.toWellFormed() : text;  // the driver cannot transfer an unpaired surrogate
}

// The ids of the panels that a visitor can open with a tab or the header of an accordion.
function openableIds() {
  const ids = new Set();
  for (const control of document.querySelectorAll('[aria-controls]'))
    for (const id of control.getAttribute('aria-controls').split(/\s+/)) ids.add(id);
  for (const control of document.querySelectorAll(TOGGLES))
    for (const name of ['data-bs-target', 'data-target', 'href'])
      if ((control.getAttribute(name) || '').startsWith('#')) ids.add(control.getAttribute(name).slice(1));
  return ids;
}

function isRemoved(style) {
  return style.display === 'none' || style.contentVisibility === 'hidden' || style.opacity <= NEARLY_TRANSPARENT;
}

function isClipped(element, style) {
  if (NO_AREA.test(style.clipPath)) return true;
  if (style.clip !== 'auto') {
    const [top, right, bottom, left] = style.clip.slice(5).split(',').map(parseFloat);
    if (right - left <= 1 || bottom - top <= 1) return true;
  }
  const clips = style.overflowX !== 'visible' && style.display !== 'inline' && element.checkVisibility();
  return clips && (element.clientWidth <= 1 || element.clientHeight <= 1);
}

function isOutside(element, style) {
  if (parseFloat(style.textIndent) <= FAR_OUTSIDE_PX || parseFloat(style.marginLeft) <= FAR_OUTSIDE_PX) return true;
  if ((style.position === 'static' && style.transform === 'none') || !element.checkVisibility()) return false;
  if (/^matrix\(0, 0, 0, 0,/.test(style.transform)) return true;
  const box = element.getBoundingClientRect();
  if (!box.width && !box.height) return false;
  if (style.position === 'fixed' && (box.left >= innerWidth || box.top >= innerHeight)) return true;
  if (box.right > 0 && box.bottom > 0) return false;
  let { right, bottom } = box;
  for (let around = element.parentElement; around; around = around.parentElement) {
    right += around.scrollLeft;
    bottom += around.scrollTop;
  }
  return right <= 0 || bottom <= 0;
}

function isTransparent(element, style) {
  if (!NO_COLOR.test(style.webkitTextFillColor)) return false;
  for (let node = element; node; node = node.parentElement)
    if (getComputedStyle(node).webkitBackgroundClip.includes('text')) return false;  // a text filled with a gradient
  return true;
}

function hasOwnText(element) {
  return Array.prototype.some.call(element.childNodes, node => node.nodeType === 3 && node.data.trim());
}

function isRaised(element, style, tag) {
  if (tag === 'sup' || tag === 'sub') return true;
  if (element.textContent.length > 12) return false;
  const fifth = parseFloat(style.fontSize) / 5;
  return style.verticalAlign === 'super' || style.verticalAlign === 'sub' || parseFloat(style.verticalAlign) >= fifth
    || (style.position === 'relative' && parseFloat(style.top) <= -fifth);
}

function hasGap(style, tag) {
  const quarter = parseFloat(style.fontSize) / 4;
  const inner = tag === 'mark' ? 0 : 1;  // the padding of highlighted text overlaps its neighbours
  return ['Left', 'Right'].some(
    side => parseFloat(style['margin' + side]) + inner * parseFloat(style['padding' + side]) >= quarter);
}

function displayBits(element, style, tag, isItem, isInlineTag) {
  const display = style.display;
  if (!isInlineTag) return display === 'inline' && BLOCK_TAGS.has(tag) ? INLINE : 0;
  const flows = display === 'inline' || display === 'contents' || display.startsWith('ruby');
  if (flows || display.startsWith('inline-')) return hasGap(style, tag) ? APART : 0;
  const isTakenOut = style.float !== 'none' || style.position === 'absolute' || style.position === 'fixed';
  return isItem || isTakenOut ? APART : BLOCK;
}

// The text that `::before` or `::after` adds, and whether it comes from an attribute: ["Statut: ", false].
function pseudoText(element, pseudo) {
  const style = getComputedStyle(element, pseudo);
  const content = style.content;
  if (content === 'none' || content === 'normal' || isRemoved(style) || style.visibility !== 'visible') return null;
  let text = '', fromAttribute = false;
  for (const [, literal, attribute] of content.matchAll(PSEUDO_PART)) {
    text += attribute ? element.getAttribute(attribute) || '' : literal.replace(/\\(.)/g, '$1');
    fromAttribute ||= Boolean(attribute);
  }
  text = text.replace(/[\ue000-\uf8ff]/g, '');  // icon fonts
  if (!text.trim()) return null;
  const attributes = Array.from(element.attributes, attribute => attribute.value.trim());
  return [wellFormed(text), fromAttribute || attributes.includes(text.replace(/[:\s]+$/, '').trim())];
}

function fieldValue(element, tag) {
  if (tag === 'input' && SILENT_INPUTS.has(element.type)) return null;
  if (!element.disabled && !element.readOnly) return null;
  const text = tag === 'select' ? Array.from(element.selectedOptions, option => option.text).join(', ') : element.value;
  return text && text.trim() ? wellFormed(text) : null;
}

function readLook() {
  const elements = Array.from(document.getElementsByTagName('*'));
  if (elements.length > MAX_ELEMENTS) return null;
  const inline = new Set(inlineTags), openable = openableIds();
  const rows = new Set(), invisible = new Set(), opened = new Set();
  const marks = [], values = [], before = [], after = [];
  const isFrame = element => element === document.documentElement || element === document.body;

  const isOpenable = element =>
    ['tabpanel', 'region'].includes(element.getAttribute('role')) || openable.has(element.id);
  const subtreeSize = element => element.getElementsByTagName('*').length;

  function isInvisible(element, style, parent) {
    if (style.visibility === 'visible') return false;
    if (opened.has(parent)) {
      opened.add(element);
      return false;
    }
    if (invisible.has(parent)) {
      invisible.add(element);
      return false;
    }
    if (Array.prototype.every.call(element.getElementsByTagName('*'),
        inner => getComputedStyle(inner).visibility !== 'visible')) return true;
    invisible.add(element);  // something inside is visible
    return false;
  }

  function isHidden(element, style, parent) {
    if (isRemoved(style) || isInvisible(element, style, parent)) return true;
    return !isFrame(element) && (isClipped(element, style) || isOutside(element, style));
  }

  for (let number = 0; number < elements.length; number++) {
    const element = elements[number], tag = element.localName, parent = element.parentElement;
    if (SKIPPED.has(tag)) {
      number += subtreeSize(element);
      continue;
    }
    const style = getComputedStyle(element);
    if (isHidden(element, style, parent)) {
      const canOpen = isOpenable(element);
      marks.push([number, tag, canOpen ? HIDDEN | OPENABLE : HIDDEN]);
      if (!canOpen) {
        number += subtreeSize(element);
        continue;
      }
      opened.add(element);
    }
    if (style.textDecorationLine.includes('line-through')) {
      marks.push([number, tag, STRUCK]);
      number += subtreeSize(element);
      continue;
    }
    if (tag === 'input' || tag === 'textarea' || tag === 'select') {
      const text = fieldValue(element, tag);
      if (text !== null) values.push([number, tag, text]);
      number += subtreeSize(element);
      continue;
    }
    if (/^(?:inline-)?(?:flex|grid)$/.test(style.display) && !style.flexDirection.startsWith('column')) rows.add(element);
    const isInlineTag = inline.has(tag);
    let bits = displayBits(element, style, tag, rows.has(parent), isInlineTag);
    if (isInlineTag && isRaised(element, style, tag)) bits |= RAISED;
    const isMuted = invisible.has(element) || parseFloat(style.fontSize) < 1 || isTransparent(element, style);
    if (isMuted && hasOwnText(element)) bits |= MUTED;
    if (bits) marks.push([number, tag, bits]);
    for (const [pseudo, texts] of [['::before', before], ['::after', after]]) {
      const found = pseudoText(element, pseudo);
      if (found !== null) texts.push([number, tag, ...found]);
    }
  }
  return JSON.stringify({version: 1, elements: elements.length, marks, values, before, after});
}

// Whether a finite animation keeps an element hidden that will appear in a moment.
function isAppearing() {
  return document.getAnimations().some(animation => {
    const { target, pseudoElement } = animation.effect || {};
    if (!target || pseudoElement || animation.playState !== 'running') return false;
    const style = getComputedStyle(target);
    const ends = animation.effect.getComputedTiming().endTime !== Infinity;
    return ends && (isRemoved(style) || style.visibility !== 'visible' || style.transform !== 'none');
  });
}

// Some pages load the rest of their content when it is scrolled into view.
function scrollToEnd() {
  let element = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
  for (element = element || document.scrollingElement; element; element = element.parentElement)
    element.scrollTo({ top: element.scrollHeight, behavior: 'instant' });
}

const html = document.documentElement ? document.documentElement.outerHTML : '';
if (html.length > maxCharacters) return [null, location.href, null, false];
let look = null, appears = false;
if (wantsLook)
  try {
    look = readLook();
    appears = isAppearing();
  } catch (error) {
    look = null;  // without a look, the page is read as older captures are
  }
if (scrolls) scrollToEnd();
return [wellFormed(html), location.href, look, appears];
