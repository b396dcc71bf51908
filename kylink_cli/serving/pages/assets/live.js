"use strict";
// Puts what has changed in the place of what is shown; where somebody is at work with the keyboard, it waits.
const seconds = Number(document.currentScript.dataset.seconds);

async function renew() {
  if (document.hidden) return true;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected) location.assign(answer.url);
  if (!answer.ok) return true;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  let isOver = fresh.querySelector("[data-over]") !== null;
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (old.contains(document.activeElement)) isOver = false;
    else if (now && now.innerHTML !== old.innerHTML) old.replaceChildren(...now.childNodes);
  }
  return !isOver;
}

async function again() {
  let goOn = true;
  try {
    goOn = await renew();
  } catch {
    // The server is away for a moment.
  }
  if (goOn) setTimeout(again, seconds * 1000);
}

setTimeout(again, seconds * 1000);
