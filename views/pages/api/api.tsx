import { attribute } from "../../attribute.ts";

/** The API as a page. Texts may hold `code` between backticks, and nothing else of Markdown. */
export interface ApiProps {
  /** Where the description for programs is. */
  document: string;
  groups: ApiGroup[];
}

/** A part of the API. */
export interface ApiGroup {
  name: string;
  about: string;
  endpoints: ApiEndpoint[];
}

/** One method of one path. */
export interface ApiEndpoint {
  anchor: string;
  /** Method and path. */
  title: string;
  about: string;
  parameters: { name: string; where: string; values: string; meaning: string }[];
  /** Requests: what for, and the command. */
  examples: { title: string; command: string }[];
  answers: { head: string; example: string | null }[];
  errors: string;
}

/** Every endpoint with its parameters, examples, answers and errors. */
export function ApiPage({ document, groups }: ApiProps): JSX.Element {
  return (
    <>
      <div class="headline">
        <h1>API</h1>
        <p class="asof">
          For programs: <a href={attribute(document)}>OpenAPI 3.1</a>
        </p>
      </div>
      <nav class="endpoints" aria-label="Endpoints">
        <ul>
          {groups.flatMap(({ endpoints }) =>
            endpoints.map(({ anchor, title }) => (
              <li>
                <a href={`#${attribute(anchor)}`} safe>
                  {title}
                </a>
              </li>
            )),
          )}
        </ul>
      </nav>
      {groups.map(({ name, about, endpoints }) => (
        <section aria-labelledby={`h-${attribute(name)}`}>
          <div class="bar">
            <h2 id={`h-${attribute(name)}`} safe>
              {name}
            </h2>
          </div>
          <Prose text={about} />
          {endpoints.map((one) => (
            <Endpoint one={one} />
          ))}
        </section>
      ))}
    </>
  );
}

function Endpoint({ one }: { one: ApiEndpoint }): JSX.Element {
  return (
    <section aria-labelledby={attribute(one.anchor)}>
      <div class="bar">
        <h3 id={attribute(one.anchor)}>
          {/* A long path may break behind each of its slashes. */}
          {one.title.split("/").map((part, index) => (
            <>
              {index === 0 ? "" : "/"}
              <wbr />
              <span safe>{part}</span>
            </>
          ))}
        </h3>
      </div>
      <Prose text={one.about} />
      {one.parameters.length === 0 ? (
        ""
      ) : (
        <div class="scroll" tabindex="0" role="region" aria-label={`Parameters of ${attribute(one.title)}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Parameter</th>
                <th scope="col">In</th>
                <th scope="col">Values</th>
                <th scope="col">Meaning</th>
              </tr>
            </thead>
            <tbody>
              {one.parameters.map(({ name, where, values, meaning }) => (
                <tr>
                  <th scope="row">
                    <code safe>{name}</code>
                  </th>
                  <td safe>{where}</td>
                  <td>
                    <Inline text={values} />
                  </td>
                  <td>
                    <Inline text={meaning} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {one.examples.map(({ title, command }) => (
        <>
          <p safe>{`${title}:`}</p>
          <pre class="scroll" tabindex="0">
            <code safe>{command}</code>
          </pre>
        </>
      ))}
      {one.answers.map(({ head, example }) => (
        <>
          <Prose text={head} />
          {example === null ? (
            ""
          ) : (
            <details>
              <summary>Example</summary>
              <pre class="scroll" tabindex="0">
                <code safe>{example}</code>
              </pre>
            </details>
          )}
        </>
      ))}
      <Prose text={one.errors} />
    </section>
  );
}

function Prose({ text }: { text: string }): JSX.Element {
  return (
    <p>
      <Inline text={text} />
    </p>
  );
}

/** Text in which every second part between backticks is code. */
function Inline({ text }: { text: string }): JSX.Element {
  return (
    <>
      {text
        .split("`")
        .map((part, index) => (index % 2 === 1 ? <code safe>{part}</code> : <span safe>{part}</span>))}
    </>
  );
}
