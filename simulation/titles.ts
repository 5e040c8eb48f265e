import type { Random } from '../core/random.ts';

/** The words of a genre's invented titles. */
interface Words {
  readonly first: readonly string[];
  readonly last: readonly string[];
}

const words: Readonly<Record<string, Words>> = {
  Halloween: {
    first: ['Pumpkin', 'Haunted', 'Midnight', 'Hollow', 'Cobweb', 'Grinning', 'Crooked', 'Bone', 'Raven', 'Moonless'],
    last: ['Lantern', 'Orchard', 'Masquerade', 'Cellar', 'Scarecrow', 'Séance', 'Crypt', 'Broomstick', 'Cauldron', 'Graveyard'],
  },
  Christmas: {
    first: ['Snowbound', 'Silver', 'Candlelit', 'Gingerbread', 'Frosted', 'Twelfth', 'Evergreen', 'Jingling', 'Mistletoe', 'Starlit'],
    last: ['Sleigh', 'Chimney', 'Carol', 'Reindeer', 'Stocking', 'Wishlist', 'Noël', 'Fireplace', 'Angel', 'Homecoming'],
  },
  Action: {
    first: ['Steel', 'Final', 'Burning', 'Iron', 'Maximum', 'Rogue'],
    last: ['Protocol', 'Vendetta', 'Strike', 'Convoy', 'Fortress', 'Pursuit'],
  },
  Adventure: {
    first: ['Lost', 'Golden', 'Hidden', 'Uncharted', 'Emerald', 'Distant'],
    last: ['Compass', 'Island', 'Expedition', 'Canyon', 'Treasure', 'Voyage'],
  },
  Animation: {
    first: ['Tiny', 'Paper', 'Bouncing', 'Painted', 'Woolly', 'Flying'],
    last: ['Robots', 'Dragon', 'Penguin', 'Toyshop', 'Teapot', 'Kingdom'],
  },
  Comedy: {
    first: ['Clumsy', 'Accidental', 'Awkward', 'Second-Hand', 'Perfectly Wrong', 'Unlikely'],
    last: ['Wedding', 'Roommates', 'Butler', 'Vacation', 'Alibi', 'Twins'],
  },
  Crime: {
    first: ['Crooked', 'Silent', 'Harbour', 'Double', 'Cold', 'Nameless'],
    last: ['Witness', 'Heist', 'Ledger', 'Informer', 'Verdict', 'Alley'],
  },
  Documentary: {
    first: ['Inside', 'Beyond', 'Under', 'Behind', 'Across', 'Above'],
    last: ['the Reef', 'the Factory', 'the Archive', 'the Desert', 'the Orchestra', 'the Glacier'],
  },
  Drama: {
    first: ['Quiet', 'Broken', 'Borrowed', 'Long', 'Faded', 'Ordinary'],
    last: ['Rivers', 'Promises', 'Inheritance', 'Winter', 'Letters', 'Daughters'],
  },
  Fantasy: {
    first: ['Enchanted', 'Crystal', 'Forgotten', 'Thousandth', 'Amber', 'Winged'],
    last: ['Throne', 'Spell', 'Labyrinth', 'Prophecy', 'Realm', 'Mirror'],
  },
  Horror: {
    first: ['Whispering', 'Rotten', 'Hungry', 'Faceless', 'Red', 'Sunken'],
    last: ['House', 'Asylum', 'Doll', 'Well', 'Basement', 'Stranger'],
  },
  Romance: {
    first: ['Letters to', 'Falling for', 'Dancing with', 'Waiting for', 'Summer with', 'Always'],
    last: ['Juliet', 'a Stranger', 'the Baker', 'Marianne', 'You, Again', 'Paris'],
  },
  'Sci-Fi': {
    first: ['Quantum', 'Orbital', 'Infinite', 'Synthetic', 'Last', 'Parallel'],
    last: ['Horizon', 'Colony', 'Signal', 'Machine', 'Eclipse', 'Station'],
  },
  Thriller: {
    first: ['Dead', 'Hidden', 'Blind', 'Seventh', 'Sleepless', 'Perfect'],
    last: ['Reckoning', 'Passenger', 'Motive', 'Hour', 'Witness', 'Lie'],
  },
};

/** Makes invented titles, each once. A name that comes up again is a sequel: `The Quiet Rivers 2`. */
export function titleMaker(random: Random): (theme: string, year: number) => string {
  const used = new Map<string, number>();
  return (theme, year) => {
    const { first, last } = words[theme]!;
    const name = `${first[random.below(first.length)]!} ${last[random.below(last.length)]!}`;
    const sequel = (used.get(name) ?? 0) + 1;
    used.set(name, sequel);
    const article = theme === 'Documentary' || theme === 'Romance' ? '' : 'The ';
    return `${article}${name}${sequel > 1 ? ` ${sequel}` : ''} (${year})`;
  };
}
