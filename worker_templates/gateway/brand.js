/**
 * Whose pages these are: name, colour, logo, and whom to ask, from the settings.
 *
 * May not: let anything but a hexadecimal colour, an embedded picture and a mailto: or https: address into a page, whatever
 * the configuration holds.
 */

import config from "./config.js";

const { name, color, logo, support_url: url, support_text: text } = config.brand;

export const brand = {
  /** Not escaped. */
  name,
  color: /^#(?:[0-9a-f]{3}){1,2}$/i.test(color) ? color : "#2f5bea",
  /** A data: URL, or null. */
  logo: /^data:image\/(?:png|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$/.test(logo ?? "") ? logo : null,
  /** Where people can ask, or null; not escaped. */
  support: /^(?:https:\/\/|mailto:)[\x21-\x7e]+$/.test(url ?? "") ? { url, text: text || url } : null,
};
