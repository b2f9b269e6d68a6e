// Chips open their source, "Copy" copies an answer, Esc stops the model.
const STOP = ".st-key-stop button";
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

export default function ({ data, setTriggerValue }) {
  texts = data?.texts ?? [];
  tell = setTriggerValue;
  document.addEventListener("click", clicked, true); // added once: it is always the same function
  document.addEventListener("keydown", pressed);
  return () => {
    document.removeEventListener("click", clicked, true);
    document.removeEventListener("keydown", pressed);
  };
}
