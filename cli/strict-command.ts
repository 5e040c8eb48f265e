import { Command, type Option } from 'commander';

/** A command that refuses a second value of an option that takes one: nobody knows which of two reasons is meant. */
export class StrictCommand extends Command {
  override createCommand(name?: string): StrictCommand {
    return new StrictCommand(name);
  }

  override addOption(option: Option): this {
    // One that collects its values starts with none.
    const takesOne = (option.required || option.optional) && !option.variadic && !Array.isArray(option.defaultValue);
    let given = 0;
    return super.addOption(option).on(`option:${option.name()}`, () => {
      given += 1;
      if (takesOne && given > 1) this.error(`option '${option.flags}' is given twice and takes one value`, { code: 'commander.repeatedOption' });
    });
  }
}
