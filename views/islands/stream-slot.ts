/**
 * Follows a template of streaming SSR and moves its content into the slot. A template is complete only when the next element
 * starts; therefore this is an element of its own.
 */
class StreamFill extends HTMLElement {
  connectedCallback(): void {
    const template = this.previousElementSibling;
    const slot = document.querySelector(`stream-slot[name="${CSS.escape(this.getAttribute("for") ?? "")}"]`);
    if (template instanceof HTMLTemplateElement && slot !== null) {
      slot.replaceChildren(template.content);
      slot.removeAttribute("aria-busy");
      template.remove();
    }
    this.remove();
    document.dispatchEvent(new Event("stream-fill"));
  }
}

customElements.define("stream-fill", StreamFill);
