// Chips open their source, which scrolls to the cited words; "Copy" copies an answer, Esc stops the model.
const STOP = ".st-key-stop button";
const CITED = ".st-key-reader .transom-cited, .st-key-reader .transom-mark";
let shown = null;
let texts = [];
let tell = () => {};

function clicked(event) {
  const link = event.target instanceof Element && event.target.closest('a[href^="#cite-"], a[href^="#copy-"]');
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const [kind, ...place] = link.getAttribute("href").slice(1).split("-");
  if (kind === "copy") copy(texts[Number(place[0])] ?? "", link);
  else tell("opened", place.slice(0, 2).join("-"));
}

async function copy(text, link) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
  } else { // a page that is not served by this machine has no clipboard
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  link.dataset.copied = "yes";
  setTimeout(() => delete link.dataset.copied, 1500);
}

function pressed(event) {
  if (event.key === "Escape" && !event.defaultPrevented) document.querySelector(STOP)?.click();
}

const watch = new MutationObserver(looked);

function looked() {
  const mark = document.querySelector(CITED);
  if (!mark || mark === shown) return;
  shown = mark;
  const picture = mark.parentElement.querySelector("img");
  if (picture && !picture.complete) picture.addEventListener("load", () => scrollToMark(mark), { once: true });
  else scrollToMark(mark);
}

function scrollToMark(mark) { // what lies around the source stays where it is
  for (let box = mark.parentElement; box?.closest(".st-key-reader"); box = box.parentElement) {
    const [place, frame] = [mark.getBoundingClientRect(), box.getBoundingClientRect()];
    const seen = place.top >= frame.top && place.bottom <= Math.min(frame.bottom, innerHeight);
    if (!seen && box.scrollHeight > box.clientHeight) box.scrollTop += place.top - frame.top - box.clientHeight / 3;
  }
}

export default function ({ data, setTriggerValue }) {
  texts = data?.texts ?? [];
  tell = setTriggerValue;
  document.addEventListener("click", clicked, true); // added once: it is always the same function
  document.addEventListener("keydown", pressed);
  watch.observe(document.body, { childList: true, subtree: true });
  return () => {
    watch.disconnect();
    document.removeEventListener("click", clicked, true);
    document.removeEventListener("keydown", pressed);
  };
}
