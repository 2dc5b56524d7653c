/**
 * Stands behind a template that arrived late, and puts its content into the slot it is for. A template is whole when the
 * element after it begins, which is why this is an element of its own.
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
